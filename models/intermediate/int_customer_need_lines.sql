{{ config_roll_up() }}

with order_lines as (

    select * from {{ order_lines_to_read() }}
    where
        is_purchase_line
        and {{ is_refreshed() }}

),

products as (

    select * from {{ ref('stg_products') }}

),

category_needs as (

    select * from {{ ref('category_needs') }}

),

limits as (

    select {{ days_before(as_of_date(), 'cast(' ~ threshold('needs_purchase_window_days') ~ ' as integer)') }} as window_start

),

product_needs as (

    select
        products.product_id,
        category_needs.need
    from products
    inner join category_needs on {{ normalised('products.category') }} = category_needs.category

),

final as (

    select
        order_lines.customer_id,
        product_needs.need,
        count(*) as purchase_lines,
        max(order_lines.ordered_at) as last_ordered_at
    from order_lines
    cross join limits
    left join product_needs on order_lines.product_id = product_needs.product_id
    where
        order_lines.order_date < {{ as_of_date() }}
        and order_lines.order_date >= limits.window_start
    group by order_lines.customer_id, product_needs.need

)

select * from final
