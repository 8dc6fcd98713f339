with

landed as {{ inlined() }} (
    {{ landed_rows(source('landing', 'web_events')) }}
),

known_customers as {{ inlined() }} (
    select customer_id as known_customer_id from {{ ref('stg_customers') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('event_id') }} as event_id,
        {{ clean_text('customer_id') }} as customer_id,
        cast(occurred_at as timestamp) as occurred_at,
        {{ clean_code('event_name') }} as event_name,
        {{ clean_text('product_id') }} as product_id,
        {{ clean_text('category') }} as category,
        {{ clean_code('channel') }} as channel,
        {{ clean_code('referrer') }} as referrer,
        {{ landing_columns() }}
    from landed
),

{{ staged_rows(
    key=['event_id'],
    required=['event_id', 'customer_id', 'occurred_at'],
    impossible={
        'occurred_at is 1970-01-01 or before, or over a year after loading': out_of_time('occurred_at')
    },
    customer='customer_id',
    dates={'occurred_date': 'occurred_at'}
) }}

select * from final
