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

spellings as (

    select distinct stated_payment_method
    from grouped

),

-- A text is rewritten once per spelling, not once per customer.
payment_methods as (

    select
        stated_payment_method,
        {{ code_of('stated_payment_method') }} as payment_method
    from spellings

),

final as (

    select
        grouped.customer_id,
        payment_methods.payment_method,
        cast(sum(grouped.order_count) as bigint) as order_count
    from grouped
    inner join payment_methods on grouped.stated_payment_method = payment_methods.stated_payment_method
    where payment_methods.payment_method not in {{ words_for_nothing() }}
    group by grouped.customer_id, payment_methods.payment_method

)

select * from final
