-- Why: a shorter window lies within a longer one. A window that counts more than the one around it has a wrong edge.
select
    customer_id,
    orders_30d,
    orders_90d,
    orders_365d,
    order_count
from {{ ref('customer_order_features') }}
where
    orders_30d > orders_90d
    or orders_90d > orders_365d
    or orders_365d > order_count
    or recency_days > buyer_days
    or recency_days < 1
