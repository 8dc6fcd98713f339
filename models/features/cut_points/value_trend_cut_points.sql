with trend as (

    select * from {{ ref('customer_trend_features') }}

),

buyers as (

    select baseline_amount
    from trend
    where baseline_amount > 0

),

counted as (

    select
        baseline_amount,
        sum(count(*)) over (order by baseline_amount) as buyers_up_to,
        sum(count(*)) over () as buyers
    from buyers
    group by baseline_amount

),

-- The smallest amount that all but the high share of the buyers do not exceed.
-- By hand, because the share is a threshold and percentile_disc wants a constant.
final as (

    select
        'baseline_amount' as measure,
        1 as cut,
        cast(min(baseline_amount) as decimal(18, 4)) as value -- noqa: RF04
    from counted
    where buyers_up_to >= (1 - {{ threshold('trend_high_share') }}) * buyers
    having min(baseline_amount) is not null

)

select * from final
