{{ config_roll_up() }}

{%- set windows = [30, 90, 365] -%}

with orders as (

    select * from {{ ref('int_orders') }}
    where {{ is_refreshed() }}

),

limits as (

    select cast({{ threshold('kpi_period_days') }} as integer) as period_days

),

periods as (

    select
        {{ days_before(as_of_date(), 'period_days') }} as period_start,
        {{ days_before(as_of_date(), '2 * period_days') }} as before_start
    from limits

),

final as (

    select
        orders.customer_id,

        min(orders.order_date) as first_day,
        min(orders.order_date) filter (where orders.is_purchase) as first_order_date,
        max(orders.order_date) filter (where orders.is_purchase) as last_order_date,
        max(orders.ordered_at) filter (where orders.is_purchase) as last_ordered_at,

        count(*) filter (where orders.is_purchase) as order_count,
        {%- for days in windows %}
        count(*) filter (where orders.is_purchase and orders.order_date >= {{ days_before(as_of_date(), days) }}) as orders_{{ days }}d,
        {%- endfor %}

        cast(sum(orders.net_amount) as decimal(18, 2)) as net_amount,
        {%- for days in windows %}
        cast(
            sum(case when orders.order_date >= {{ days_before(as_of_date(), days) }} then orders.net_amount else 0 end) as decimal(18, 2)
        ) as net_amount_{{ days }}d,
        {%- endfor %}
        cast(sum(orders.gross_amount) as decimal(18, 2)) as gross_amount,
        cast(sum(orders.returned_amount) as decimal(18, 2)) as returned_amount,
        cast(sum(orders.cost_amount) as decimal(18, 2)) as cost_amount,
        cast(sum(orders.costed_amount) as decimal(18, 2)) as costed_amount,
        cast(sum(orders.units) as decimal(18, 3)) as units,

        count(*) filter (where orders.is_purchase and orders.is_promoted) as promoted_order_count,
        count(*) filter (where orders.is_purchase and orders.has_coupon) as coupon_order_count,
        cast(sum(orders.promoted_amount) as decimal(18, 2)) as promoted_amount,
        cast(sum(orders.discount_amount) as decimal(18, 2)) as discount_amount,
        cast(sum(orders.coupon_amount) as decimal(18, 2)) as coupon_amount,
        bool_or(orders.promoted_amount > 0 or orders.is_promoted) as has_promotion,

        count(*) filter (where orders.is_purchase and orders.order_date >= periods.period_start) as period_orders,
        count(*) filter (
            where orders.is_purchase and orders.order_date >= periods.before_start and orders.order_date < periods.period_start
        ) as before_orders,
        cast(sum(case when orders.order_date >= periods.period_start then orders.net_amount else 0 end) as decimal(18, 2)) as period_net_amount,
        cast(sum(case when orders.order_date >= periods.period_start then orders.gross_amount else 0 end) as decimal(18, 2))
            as period_gross_amount,
        cast(sum(case when orders.order_date >= periods.period_start then orders.promoted_amount else 0 end) as decimal(18, 2))
            as period_promoted_amount,
        cast(sum(case when orders.order_date >= periods.period_start then orders.cost_amount end) as decimal(18, 2)) as period_cost_amount,
        cast(
            sum(case when orders.order_date >= periods.period_start and orders.cost_amount is not null then orders.costed_amount end)
            as decimal(18, 2)
        ) as period_costed_amount
    from orders
    cross join periods
    group by orders.customer_id

)

select * from final
