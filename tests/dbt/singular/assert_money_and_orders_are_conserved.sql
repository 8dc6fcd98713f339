-- Why: every layer re-grains the one before. A join that drops or doubles a row changes a total, and nothing else would show it.
-- The same net sales and the same purchase orders must be found in lines, orders, days, categories and features.
{{ config(tags=['invariant']) }}

with lines as (

    select
        sum(net_amount) as net_amount,
        count(distinct case when is_purchase_line then order_id || '|' || customer_id end) as purchase_orders
    from {{ ref('int_order_lines') }}

),

orders as (

    select
        sum(net_amount) as net_amount,
        count(*) filter (where is_purchase) as purchase_orders
    from {{ ref('int_orders') }}

),

days as (

    select
        sum(net_amount) as net_amount,
        sum(purchase_orders) as purchase_orders
    from {{ ref('int_customer_days') }}

),

categories as (

    select sum(net_amount) as net_amount
    from {{ ref('int_customer_categories') }}

),

features as (

    select
        sum(net_amount) as net_amount,
        sum(order_count) as purchase_orders
    from {{ ref('customer_order_features') }}

),

compared as (

    select
        'int_orders' as layer,
        lines.net_amount as expected_net_amount,
        orders.net_amount,
        lines.purchase_orders as expected_purchase_orders,
        orders.purchase_orders
    from lines
    cross join orders
    union all
    select
        'int_customer_days',
        lines.net_amount,
        days.net_amount,
        lines.purchase_orders,
        days.purchase_orders
    from lines
    cross join days
    union all
    select
        'int_customer_categories',
        lines.net_amount,
        categories.net_amount,
        0,
        0
    from lines
    cross join categories
    union all
    select
        'customer_order_features',
        coalesce(lines.net_amount, 0),
        coalesce(features.net_amount, 0),
        lines.purchase_orders,
        coalesce(features.purchase_orders, 0)
    from lines
    cross join features

)

select * from compared
where
    net_amount is distinct from expected_net_amount
    or coalesce(purchase_orders, 0) <> expected_purchase_orders
