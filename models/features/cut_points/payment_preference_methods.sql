with payment_methods as (

    select * from {{ ref('int_customer_payment_methods') }}

),

limits as (

    select {{ threshold('payment_preference_own_segment_share') }} as own_segment_share

),

methods as (

    select
        payment_method,
        cast(sum(order_count) as bigint) as order_count
    from payment_methods
    group by payment_method

),

total as (

    select sum(order_count) as all_orders
    from methods

),

final as (

    select
        methods.payment_method,
        methods.order_count,
        {{ ratio('methods.order_count', 'total.all_orders') }} as order_share,
        -- Compared as whole numbers times the threshold: a share of exactly one in a hundred must not depend on the last bit of a float.
        methods.order_count < limits.own_segment_share * total.all_orders as is_rare
    from methods
    cross join total
    cross join limits

)

select * from final
