with payments as (

    select * from {{ ref('customer_payment_features') }}

),

payment_methods as (

    select * from {{ ref('int_customer_payment_methods') }}

),

methods as (

    select * from {{ ref('payment_preference_methods') }}

),

limits as (

    select
        {{ threshold('payment_preference_minimum_orders') }} as minimum_orders,
        {{ threshold('payment_preference_leading_share') }} as leading_share

),

-- Rare methods count together: whoever pays by three of them pays most orders in a way that hardly anybody does, and not now by one
-- method and now by another of those that have a segment.
rare as (

    select
        payment_methods.customer_id,
        cast(sum(payment_methods.order_count) as bigint) as rare_payment_orders
    from payment_methods
    inner join methods on payment_methods.payment_method = methods.payment_method
    where methods.is_rare
    group by payment_methods.customer_id

),

final as (

    select
        payments.customer_id,
        payments.as_of_date,
        case
            when payments.payment_known_orders < limits.minimum_orders then 'unknown'
            -- Compared as whole numbers times the threshold: a share of exactly three fifths must not depend on the last bit of a float.
            when coalesce(rare.rare_payment_orders, 0) >= limits.leading_share * payments.payment_known_orders then 'other'
            when payments.leading_payment_orders < limits.leading_share * payments.payment_known_orders then 'mixed'
            else payments.leading_payment_method
        end as segment,
        payments.payment_known_orders,
        payments.payment_method_count,
        payments.leading_payment_method,
        payments.leading_payment_share,
        coalesce(rare.rare_payment_orders, 0) as rare_payment_orders
    from payments
    left join rare on payments.customer_id = rare.customer_id
    cross join limits

)

select * from final
