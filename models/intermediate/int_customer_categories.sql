-- Straight from the lines to the customer: a customer-day-category table would be as long as the lines themselves.
{{ config_roll_up() }}

with order_lines as (

    select * from {{ order_lines_to_read() }}
    where {{ is_refreshed() }}

),

products as (

    select * from {{ ref('stg_products') }}

),

final as (

    select
        order_lines.customer_id,
        coalesce(products.category, products.department, 'unknown') as category,
        count(*) filter (where order_lines.is_purchase_line) as purchase_lines,
        count(*) filter (where order_lines.is_promoted_line) as promoted_lines,
        cast(sum(order_lines.net_amount) as decimal(18, 2)) as net_amount,
        cast(sum(order_lines.purchased_amount) as decimal(18, 2)) as purchased_amount,
        cast(sum(order_lines.promoted_amount) as decimal(18, 2)) as promoted_amount
    from order_lines
    left join products on order_lines.product_id = products.product_id
    group by order_lines.customer_id, coalesce(products.category, products.department, 'unknown')

)

select * from final
