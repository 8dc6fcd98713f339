-- Kept narrow on purpose: there are almost as many customer-days as orders, and the width of the aggregate is what costs.
{{ config_roll_up() }}

with orders as (

    select * from {{ ref('int_orders') }}
    where {{ is_refreshed() }}

),

days as (

    select
        customer_id,
        order_date,
        count(*) filter (where is_purchase) as purchase_orders,
        cast(sum(net_amount) as decimal(18, 2)) as net_amount
    from orders
    group by customer_id, order_date

),

previous_days as (

    select
        customer_id,
        order_date,
        purchase_orders,
        net_amount,
        lag(order_date) over (
            partition by customer_id, purchase_orders > 0
            order by order_date
        ) as previous_date
    from days

),

final as (

    select
        customer_id,
        order_date,
        purchase_orders,
        net_amount,
        case when purchase_orders > 0 then {{ days_between('previous_date', 'order_date') }} end as gap_days
    from previous_days

)

select * from final
