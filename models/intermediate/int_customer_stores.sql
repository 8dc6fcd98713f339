{{ config_roll_up() }}

with orders as (

    select * from {{ ref('int_orders') }}
    where {{ is_refreshed() }}

),

limits as (

    select cast({{ threshold('geographic_home_store_window_days') }} as integer) as window_days

),

final as (

    select
        orders.customer_id,
        orders.store_id,
        count(*) as order_count,
        max(orders.order_date) as last_order_date
    from orders
    cross join limits
    where
        orders.is_purchase
        and orders.store_id is not null
        and orders.order_date < {{ as_of_date() }}
        and orders.order_date >= {{ days_before(as_of_date(), 'limits.window_days') }}
    group by orders.customer_id, orders.store_id

)

select * from final
