{{ config(materialized='table') }}

with

landed as {{ inlined() }} (
    select * from {{ source('landing', 'campaign_contacts') }}
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

judged as {{ inlined() }} (
    select
        typed.*,
        {{ quarantine_reason(
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
            customer=true
        ) }} as quarantine_reason
    from typed
    left join known_customers on typed.customer_id = known_customers.known_customer_id
),

{{ row_versions(key=['contact_id']) }},

final as (
    select
        judged.*,
        case when judged.quarantine_reason is null then {{ business_date('judged.sent_at') }} end as sent_date,
        case when judged.quarantine_reason is null then {{ business_date('judged.delivered_at') }} end as delivered_date,
        case when judged.quarantine_reason is null then {{ business_date('judged.opened_at') }} end as opened_date,
        case when judged.quarantine_reason is null then {{ business_date('judged.clicked_at') }} end as clicked_date,
        case when judged.quarantine_reason is null then {{ business_date('judged.unsubscribed_at') }} end as unsubscribed_date,
        {{ row_status() }} as row_status,
        {{ written_in_run() }}
    from judged
    left join row_versions on judged.batch = row_versions.batch and judged.source_row = row_versions.source_row
)

select * from final
