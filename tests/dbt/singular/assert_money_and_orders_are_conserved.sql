-- Why: every layer re-grains the one before. A join that drops or doubles a row changes a total, and nothing else would show it.
-- The same net sales and the same purchase orders must be found in lines, orders, days, categories and features.
{{ config(tags=['invariant']) }}

with amounts_of_lines as (

    select sum(net_amount) as net_amount
    from {{ ref('int_order_lines') }}

),

-- Grouped, and not counted as distinct texts made of both: less memory and time, where there are tens of millions.
orders_of_lines as (

    select
        order_id,
        customer_id
    from {{ ref('int_order_lines') }}
    where is_purchase_line
    group by order_id, customer_id

),

counts_of_lines as (

    select count(*) as purchase_orders
    from orders_of_lines

),

lines as (

    select
        amounts_of_lines.net_amount,
        counts_of_lines.purchase_orders
    from amounts_of_lines
    cross join counts_of_lines

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

layers as (

    select
        'int_orders' as layer,
        net_amount,
        purchase_orders
    from orders
    union all
    select
        'int_customer_days' as layer,
        net_amount,
        purchase_orders
    from days
    union all
    -- Orders cannot be counted by category: one order may be in several.
    select
        'int_customer_categories' as layer,
        categories.net_amount,
        lines.purchase_orders
    from categories
    cross join lines
    union all
    select
        'customer_order_features' as layer,
        net_amount,
        purchase_orders
    from features

)

-- A sum over nothing is null, in one layer or in all.
select
    layers.layer,
    lines.net_amount as expected_net_amount,
    layers.net_amount,
    lines.purchase_orders as expected_purchase_orders,
    layers.purchase_orders
from layers
cross join lines
where
    coalesce(layers.net_amount, 0) <> coalesce(lines.net_amount, 0)
    or coalesce(layers.purchase_orders, 0) <> lines.purchase_orders
