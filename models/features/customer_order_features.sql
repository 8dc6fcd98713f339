{%- set windows = [30, 90, 365] -%}

with customers as (

    select * from {{ ref('int_customers') }}

),

orders as (

    select * from {{ ref('int_orders') }}

),

per_customer as (

    select
        customer_id,

        min(order_date) filter (where is_purchase) as first_order_date,
        max(order_date) filter (where is_purchase) as last_order_date,
        count(*) filter (where is_purchase) as order_count,
        {%- for days in windows %}
        count(*) filter (where is_purchase and order_date >= {{ days_before(as_of_date(), days) }}) as orders_{{ days }}d,
        {%- endfor %}

        sum(net_amount) as net_amount,
        {%- for days in windows %}
        sum(case when order_date >= {{ days_before(as_of_date(), days) }} then net_amount else 0 end) as net_amount_{{ days }}d,
        {%- endfor %}
        sum(gross_amount) as gross_amount,
        sum(returned_amount) as returned_amount,
        sum(cost_amount) as cost_amount,
        sum(costed_amount) as costed_amount,
        sum(units) as units
    from orders
    group by customer_id

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        customers.customer_since_date,
        per_customer.first_order_date,
        per_customer.last_order_date,
        {{ days_between('per_customer.last_order_date', 'customers.as_of_date') }} as recency_days,
        {{ days_between('per_customer.first_order_date', 'customers.as_of_date') }} as buyer_days,
        {{ days_between('customers.customer_since_date', 'customers.as_of_date') }} as tenure_days,

        coalesce(per_customer.order_count, 0) as order_count,
        {%- for days in windows %}
        coalesce(per_customer.orders_{{ days }}d, 0) as orders_{{ days }}d,
        {%- endfor %}

        cast(coalesce(per_customer.net_amount, 0) as decimal(18, 2)) as net_amount,
        {%- for days in windows %}
        cast(coalesce(per_customer.net_amount_{{ days }}d, 0) as decimal(18, 2)) as net_amount_{{ days }}d,
        {%- endfor %}
        cast(coalesce(per_customer.gross_amount, 0) as decimal(18, 2)) as gross_amount,
        cast(coalesce(per_customer.returned_amount, 0) as decimal(18, 2)) as returned_amount,
        cast(per_customer.costed_amount - per_customer.cost_amount as decimal(18, 2)) as margin_amount,
        cast(coalesce(per_customer.units, 0) as decimal(18, 3)) as units,

        {{ mean_to_cents('per_customer.net_amount', 'per_customer.order_count') }} as mean_order_amount,
        {{ ratio('per_customer.returned_amount', 'per_customer.gross_amount') }} as returned_share
    from customers
    left join per_customer on customers.customer_id = per_customer.customer_id

)

select * from final
