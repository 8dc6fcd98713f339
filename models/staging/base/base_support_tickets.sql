with

landed as {{ inlined() }} (
    {{ landed_rows(source('landing', 'support_tickets')) }}
),

known_customers as {{ inlined() }} (
    select customer_id as known_customer_id from {{ ref('stg_customers') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('ticket_id') }} as ticket_id,
        {{ clean_text('customer_id') }} as customer_id,
        cast(opened_at as timestamp) as opened_at,
        cast(first_reply_at as timestamp) as first_reply_at,
        cast(customer_replied_at as timestamp) as customer_replied_at,
        cast(closed_at as timestamp) as closed_at,
        {{ clean_code('topic') }} as topic,
        cast(satisfaction_score as decimal(18, 2)) as satisfaction_score,
        {{ landing_columns() }}
    from landed
),

{{ staged_rows(
    key=['ticket_id'],
    required=['ticket_id', 'customer_id', 'opened_at'],
    impossible={
        'opened_at is 1970-01-01 or before, or over a year after loading': out_of_time('opened_at'),
        'first_reply_at is 1970-01-01 or before, or over a year after loading': out_of_time('first_reply_at'),
        'customer_replied_at is 1970-01-01 or before, or over a year after loading': out_of_time('customer_replied_at'),
        'closed_at is 1970-01-01 or before, or over a year after loading': out_of_time('closed_at'),
        'first_reply_at is over a day before opened_at': "first_reply_at < opened_at - interval '1' day",
        'customer_replied_at is over a day before opened_at': "customer_replied_at < opened_at - interval '1' day",
        'closed_at is over a day before opened_at': "closed_at < opened_at - interval '1' day",
        'satisfaction_score is outside 0 to 100': "satisfaction_score < 0 or satisfaction_score > 100"
    },
    customer='customer_id',
    dates={
        'opened_date': 'opened_at',
        'first_reply_date': 'first_reply_at',
        'customer_replied_date': 'customer_replied_at',
        'closed_date': 'closed_at'
    }
) }}

select * from final
