with

landed as {{ inlined() }} (
    {{ landed_rows(source('landing', 'loyalty_ledger')) }}
),

known_customers as {{ inlined() }} (
    select customer_id as known_customer_id from {{ ref('stg_customers') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('entry_id') }} as entry_id,
        {{ clean_text('customer_id') }} as customer_id,
        cast(occurred_at as timestamp) as occurred_at,
        {{ clean_code('entry_type') }} as entry_type,
        cast(points as decimal(18, 2)) as points,
        {{ clean_text('reward_id') }} as reward_id,
        {{ clean_text('order_id') }} as order_id,
        {{ landing_columns() }}
    from landed
),

{{ staged_rows(
    key=['entry_id'],
    required=['entry_id', 'customer_id', 'occurred_at'],
    impossible={
        'occurred_at is 1970-01-01 or before, or over a year after loading': out_of_time('occurred_at')
    },
    customer='customer_id',
    dates={'occurred_date': 'occurred_at'}
) }}

select * from final
