{#- Amounts are added up, so lines in another currency than the source's cannot be used; none declared, none differs. #}
{%- set currency = dbt.string_literal(dbt.escape_single_quotes(var('currency') | upper)) if var('currency') else 'null' %}

with

landed as {{ inlined() }} (
    {{ landed_rows(source('landing', 'transactions')) }}
),

known_customers as {{ inlined() }} (
    select customer_id as known_customer_id from {{ ref('stg_customers') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('order_id') }} as order_id,
        {{ clean_text('line_id') }} as line_id,
        {{ clean_text('customer_id') }} as customer_id,
        cast(ordered_at as timestamp) as ordered_at,
        cast(amount as decimal(18, 2)) as amount,
        {{ clean_text('product_id') }} as product_id,
        cast(quantity as decimal(18, 3)) as quantity,
        cast(discount_amount as decimal(18, 2)) as discount_amount,
        cast(coupon_amount as decimal(18, 2)) as coupon_amount,
        cast(cost_amount as decimal(18, 2)) as cost_amount,
        {{ clean_text('store_id') }} as store_id,
        {{ clean_code('channel') }} as channel,
        {{ clean_code('payment_method') }} as payment_method,
        coalesce({{ clean_code('status') }}, 'completed') as status,
        upper({{ clean_text('currency') }}) as currency,
        cast(updated_at as timestamp) as updated_at,
        {{ landing_columns() }}
    from landed
),

{{ staged_rows(
    key=['order_id', 'line_id'],
    required=['order_id', 'line_id', 'customer_id', 'ordered_at', 'amount'],
    impossible={
        'ordered_at is 1970-01-01 or before, or over a year after loading': out_of_time('ordered_at'),
        'status is not completed, cancelled or returned': "status not in ('completed', 'cancelled', 'returned')",
        'currency is not the one of the source': "currency <> " ~ currency,
        'quantity is below zero in a sale': "quantity < 0 and amount > 0 and status <> 'returned'",
        'discount_amount is below zero in a sale': "discount_amount < 0 and amount > 0 and status <> 'returned'",
        'coupon_amount is below zero in a sale': "coupon_amount < 0 and amount > 0 and status <> 'returned'"
    },
    customer='customer_id',
    dates={'order_date': 'ordered_at'}
) }}

select * from final
