-- The periods are counted back from the day described, but a customer's number of active ones changes only when a purchase day passes from
-- one period into the next: the edges of all periods are windows of this roll-up.
{{ config_roll_up() }}

with purchase_days as (

    select * from {{ ref('int_customer_days') }}
    where
        purchase_orders > 0
        and {{ is_refreshed() }}

),

limits as (

    select
        cast({{ threshold('purchase_rhythm_period_days') }} as integer) as period_days,
        cast({{ threshold('purchase_rhythm_periods') }} as integer) as periods,
        -- Whole months, so that the first of them is not cut.
        {{ month_start_before(as_of_date(), 'cast(' ~ threshold('purchase_rhythm_season_months') ~ ' as integer)') }} as season_start

),

-- A purchase day opens its month, or its period, when the purchase day before it lies in an earlier one. So distinct months and
-- periods are counted without a second grouping.
placed as (

    select
        purchase_days.customer_id,
        purchase_days.order_date,
        -- Where the month lies on the circle of the year.
        (extract(month from purchase_days.order_date) - 1) * pi() / 6 as month_angle,
        purchase_days.order_date >= limits.season_start
        and (purchase_days.gap_days is null or purchase_days.gap_days >= extract(day from purchase_days.order_date)) as opens_month,
        cast(floor(
            ({{ days_between('purchase_days.order_date', as_of_date()) }} - 1) / cast(limits.period_days as double)
        ) as integer) as period,
        cast(floor(
            ({{ days_between('purchase_days.order_date', as_of_date()) }} - 1 + purchase_days.gap_days) / cast(limits.period_days as double)
        ) as integer) as period_before
    from purchase_days
    cross join limits

),

-- In whole ten-thousandths, so that sums are exact.
directed as (

    select
        *,
        case when opens_month then {{ ten_thousandths('cos(month_angle)') }} else 0 end as cosine,
        case when opens_month then {{ ten_thousandths('sin(month_angle)') }} else 0 end as sine
    from placed

),

final as (

    select
        directed.customer_id,
        count(*) filter (
            where directed.period < limits.periods and (directed.period_before is null or directed.period_before <> directed.period)
        ) as active_periods,
        count(*) filter (where directed.opens_month) as season_months,
        count(*) filter (where directed.order_date >= limits.season_start) as season_days,
        min(case when directed.order_date >= limits.season_start then directed.order_date end) as season_first_date,
        max(case when directed.order_date >= limits.season_start then directed.order_date end) as season_last_date,
        cast(sum(directed.cosine) as bigint) as cosine_sum,
        cast(sum(directed.sine) as bigint) as sine_sum
    from directed
    cross join limits
    group by directed.customer_id

)

select * from final
