{%- set windows = [30, 90, 365] -%}

with customers as (

    select * from {{ ref('int_customers') }}

),

totals as (

    select * from {{ ref('int_customer_order_totals') }}

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        customers.customer_since_date,
        totals.first_order_date,
        totals.last_order_date,
        {{ days_between('totals.last_order_date', 'customers.as_of_date') }} as recency_days,
        {{ days_between('totals.first_order_date', 'customers.as_of_date') }} as buyer_days,
        {{ days_between('customers.customer_since_date', 'customers.as_of_date') }} as tenure_days,

        coalesce(totals.order_count, 0) as order_count,
        {%- for days in windows %}
        coalesce(totals.orders_{{ days }}d, 0) as orders_{{ days }}d,
        {%- endfor %}

        cast(coalesce(totals.net_amount, 0) as decimal(18, 2)) as net_amount,
        {%- for days in windows %}
        cast(coalesce(totals.net_amount_{{ days }}d, 0) as decimal(18, 2)) as net_amount_{{ days }}d,
        {%- endfor %}
        cast(coalesce(totals.gross_amount, 0) as decimal(18, 2)) as gross_amount,
        cast(coalesce(totals.returned_amount, 0) as decimal(18, 2)) as returned_amount,
        cast(totals.costed_amount - totals.cost_amount as decimal(18, 2)) as margin_amount,
        cast(coalesce(totals.units, 0) as decimal(18, 3)) as units,

        {{ mean_to_cents('totals.net_amount', 'totals.order_count') }} as mean_order_amount,
        {{ ratio('totals.returned_amount', 'totals.gross_amount') }} as returned_share
    from customers
    left join totals on customers.customer_id = totals.customer_id

)

select * from final
