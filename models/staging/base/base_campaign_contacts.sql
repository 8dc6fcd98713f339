with

landed as {{ inlined() }} (
    {{ landed_rows(source('landing', 'campaign_contacts')) }}
),

known_customers as {{ inlined() }} (
    select customer_id as known_customer_id from {{ ref('stg_customers') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('contact_id') }} as contact_id,
        {{ clean_text('campaign_id') }} as campaign_id,
        {{ clean_text('customer_id') }} as customer_id,
        {{ clean_code('channel') }} as channel,
        cast(sent_at as timestamp) as sent_at,
        cast(delivered_at as timestamp) as delivered_at,
        cast(opened_at as timestamp) as opened_at,
        cast(clicked_at as timestamp) as clicked_at,
        {{ clean_text('converted_order_id') }} as converted_order_id,
        cast(unsubscribed_at as timestamp) as unsubscribed_at,
        {{ landing_columns() }}
    from landed
),

{{ staged_rows(
    key=['contact_id'],
    required=['contact_id', 'campaign_id', 'customer_id', 'sent_at'],
    impossible={
        'sent_at is 1970-01-01 or before, or over a year after loading': out_of_time('sent_at'),
        'delivered_at is 1970-01-01 or before, or over a year after loading': out_of_time('delivered_at'),
        'opened_at is 1970-01-01 or before, or over a year after loading': out_of_time('opened_at'),
        'clicked_at is 1970-01-01 or before, or over a year after loading': out_of_time('clicked_at'),
        'unsubscribed_at is 1970-01-01 or before, or over a year after loading': out_of_time('unsubscribed_at'),
        'delivered_at is over a day before sent_at': "delivered_at < sent_at - interval '1' day",
        'opened_at is over a day before sent_at': "opened_at < sent_at - interval '1' day",
        'clicked_at is over a day before sent_at': "clicked_at < sent_at - interval '1' day",
        'unsubscribed_at is over a day before sent_at': "unsubscribed_at < sent_at - interval '1' day"
    },
    customer='customer_id',
    dates={
        'sent_date': 'sent_at',
        'delivered_date': 'delivered_at',
        'opened_date': 'opened_at',
        'clicked_date': 'clicked_at',
        'unsubscribed_date': 'unsubscribed_at'
    }
) }}

select * from final
