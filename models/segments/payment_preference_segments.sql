with payments as (

    select * from {{ ref('customer_payment_features') }}

),

limits as (

    select
        {{ threshold('payment_preference_minimum_orders') }} as minimum_orders,
        {{ threshold('payment_preference_leading_share') }} as leading_share,
        {{ threshold('payment_preference_own_segment_share') }} as own_segment_share

),

final as (

    select
        payments.customer_id,
        payments.as_of_date,
        case
            when payments.payment_known_orders < limits.minimum_orders then 'unknown'
            -- Compared as whole numbers times the threshold: a share of exactly three fifths must not depend on the last bit of a float.
            when payments.leading_payment_orders < limits.leading_share * payments.payment_known_orders then 'mixed'
            when payments.leading_payment_population_share < limits.own_segment_share then 'other'
            else payments.leading_payment_method
        end as segment,
        payments.payment_known_orders,
        payments.payment_method_count,
        payments.leading_payment_method,
        payments.leading_payment_share
    from payments
    cross join limits

)

select * from final
