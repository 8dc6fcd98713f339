-- Recent orders only: a habit is what the customer does now.
{{ config_roll_up() }}

with orders as (

    select * from {{ ref('int_orders') }}
    where
        is_purchase
        and {{ is_refreshed() }}

),

limits as (

    select {{ days_before(as_of_date(), 'cast(' ~ threshold('payment_preference_window_days') ~ ' as integer)') }} as window_start

),

grouped as (

    select
        orders.customer_id,
        orders.payment_method as stated_payment_method,
        count(*) as order_count
    from orders
    cross join limits
    where
        orders.payment_method is not null
        and orders.order_date >= limits.window_start
    group by orders.customer_id, orders.payment_method

),

-- Coded after the first grouping: a text is rewritten once per customer and spelling, not once per order.
coded as (

    select
        customer_id,
        {{ code_of('stated_payment_method') }} as payment_method,
        order_count
    from grouped

),

final as (

    select
        customer_id,
        payment_method,
        cast(sum(order_count) as bigint) as order_count
    from coded
    where payment_method not in {{ words_for_nothing() }}
    group by customer_id, payment_method

)

select * from final
