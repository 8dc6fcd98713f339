{{ config(materialized='table') }}

with

landed as {{ inlined() }} (
    select * from {{ source('landing', 'support_tickets') }}
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

judged as {{ inlined() }} (
    select
        typed.*,
        {{ quarantine_reason(
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
            customer=true
        ) }} as quarantine_reason
    from typed
    left join known_customers on typed.customer_id = known_customers.known_customer_id
),

{{ row_versions(key=['ticket_id']) }},

final as (
    select
        judged.*,
        case when judged.quarantine_reason is null then {{ business_date('judged.opened_at') }} end as opened_date,
        case when judged.quarantine_reason is null then {{ business_date('judged.first_reply_at') }} end as first_reply_date,
        case when judged.quarantine_reason is null then {{ business_date('judged.customer_replied_at') }} end as customer_replied_date,
        case when judged.quarantine_reason is null then {{ business_date('judged.closed_at') }} end as closed_date,
        {{ row_status() }} as row_status,
        {{ written_in_run() }}
    from judged
    left join row_versions on judged.batch = row_versions.batch and judged.source_row = row_versions.source_row
)

select * from final
