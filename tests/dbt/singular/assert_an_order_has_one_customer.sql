-- Why: an order number used for several customers is an error of the source. Nothing is lost, each customer's lines are an order
-- of their own; so it only warns, and the source's owner should look at these orders.
{{ config(severity='warn') }}

select
    order_id,
    count(*) as customers
from {{ ref('int_orders') }}
group by order_id
having count(*) > 1
