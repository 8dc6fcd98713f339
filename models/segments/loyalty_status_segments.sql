with orders as (

    select * from {{ ref('customer_order_features') }}

),

rhythm as (

    select * from {{ ref('customer_rhythm_features') }}

),

limits as (

    select
        {{ threshold('loyalty_new_days') }} as new_days,
        {{ threshold('loyalty_loyal_minimum_orders') }} as loyal_orders,
        {{ threshold('loyalty_loyal_minimum_days') }} as loyal_days,
        {{ threshold('loyalty_loyal_gap_ratio') }} as loyal_gap_ratio,
        {{ threshold('loyalty_regular_minimum_orders') }} as regular_orders,
        {{ threshold('loyalty_regular_gap_ratio') }} as regular_gap_ratio,
        {{ threshold('loyalty_at_risk_silence') }} as at_risk_silence,
        {{ threshold('loyalty_at_risk_minimum_days') }} as at_risk_minimum_days,
        {{ threshold('loyalty_lapsed_silence') }} as lapsed_silence,
        {{ threshold('loyalty_lapsed_minimum_days') }} as lapsed_minimum_days,
        {{ threshold('loyalty_lapsed_after_days') }} as lapsed_after_days,
        {{ threshold('loyalty_lost_silence') }} as lost_silence,
        {{ threshold('loyalty_lost_minimum_days') }} as lost_minimum_days,
        {{ threshold('loyalty_lost_after_days') }} as lost_after_days

),

measured as (

    select
        orders.customer_id,
        orders.as_of_date,
        orders.order_count,
        orders.buyer_days,
        orders.recency_days,
        rhythm.usual_gap_days,
        rhythm.population_gap_days,
        rhythm.silence_ratio
    from orders
    inner join rhythm on orders.customer_id = rhythm.customer_id

),

-- Silence first: whoever has gone is not new or loyal any more. The compared sides are exact numbers (days, times, gaps), never floats.
final as (

    select
        measured.customer_id,
        measured.as_of_date,
        case
            when measured.order_count = 0 then 'none'
            when
                measured.recency_days >= limits.lost_after_days
                or (
                    measured.recency_days >= limits.lost_minimum_days
                    and measured.recency_days >= limits.lost_silence * measured.usual_gap_days
                )
                then 'lost'
            when
                measured.recency_days >= limits.lapsed_after_days
                or (
                    measured.recency_days >= limits.lapsed_minimum_days
                    and measured.recency_days >= limits.lapsed_silence * measured.usual_gap_days
                )
                then 'lapsed'
            when
                measured.recency_days >= limits.at_risk_minimum_days
                and measured.recency_days >= limits.at_risk_silence * measured.usual_gap_days
                then 'at_risk'
            when measured.buyer_days < limits.new_days then 'new'
            when
                measured.order_count >= limits.loyal_orders
                and measured.buyer_days >= limits.loyal_days
                and measured.usual_gap_days <= limits.loyal_gap_ratio * measured.population_gap_days
                then 'loyal'
            when
                measured.order_count >= limits.regular_orders
                and measured.usual_gap_days <= limits.regular_gap_ratio * measured.population_gap_days
                then 'regular'
            else 'occasional'
        end as segment,
        measured.order_count,
        measured.buyer_days,
        measured.recency_days,
        measured.usual_gap_days,
        measured.silence_ratio
    from measured
    cross join limits

)

select * from final
