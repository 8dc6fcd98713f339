with lifetime_values as (

    select * from {{ ref('customer_lifetime_values') }}

),

orders as (

    select * from {{ ref('customer_order_features') }}

),

rhythm as (

    select * from {{ ref('customer_rhythm_features') }}

),

limits as (

    select
        {{ threshold('churn_risk_minimum_days') }} as minimum_days,
        {{ threshold('churn_risk_gone_minimum_days') }} as gone_minimum_days,
        {{ threshold('churn_risk_medium_probability') }} as medium_probability,
        {{ threshold('churn_risk_high_probability') }} as high_probability,
        {{ threshold('churn_risk_gone_probability') }} as gone_probability,
        {{ threshold('churn_risk_medium_silence') }} as medium_silence,
        {{ threshold('churn_risk_high_silence') }} as high_silence,
        {{ threshold('churn_risk_gone_silence') }} as gone_silence

),

-- The model knows how often the customer bought and nothing of their own rhythm, and cannot say that somebody who bought once has left:
-- each sign is enough.
final as (

    select
        orders.customer_id,
        orders.as_of_date,
        case
            when lifetime_values.probability_alive is null then 'none'
            when
                orders.recency_days >= limits.gone_minimum_days
                and (
                    lifetime_values.probability_alive < limits.gone_probability
                    or orders.recency_days >= limits.gone_silence * rhythm.usual_gap_days
                )
                then 'gone'
            when
                orders.recency_days >= limits.minimum_days
                and (
                    lifetime_values.probability_alive < limits.high_probability
                    or orders.recency_days >= limits.high_silence * rhythm.usual_gap_days
                )
                then 'high'
            when
                orders.recency_days >= limits.minimum_days
                and (
                    lifetime_values.probability_alive < limits.medium_probability
                    or orders.recency_days >= limits.medium_silence * rhythm.usual_gap_days
                )
                then 'medium'
            else 'low'
        end as segment,
        lifetime_values.probability_alive,
        orders.recency_days,
        rhythm.usual_gap_days,
        rhythm.silence_ratio
    from orders
    inner join lifetime_values on orders.customer_id = lifetime_values.customer_id
    inner join rhythm on orders.customer_id = rhythm.customer_id
    cross join limits

)

select * from final
