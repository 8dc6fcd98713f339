{{ config(materialized='table') }}

with

landed as {{ inlined() }} (
    select * from {{ source('landing', 'web_events') }}
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

judged as {{ inlined() }} (
    select
        typed.*,
        {{ quarantine_reason(
            required=['event_id', 'customer_id', 'occurred_at'],
            impossible={
                'occurred_at is 1970-01-01 or before, or over a year after loading': out_of_time('occurred_at')
            },
            customer=true
        ) }} as quarantine_reason
    from typed
    left join known_customers on typed.customer_id = known_customers.known_customer_id
),

{{ row_versions(key=['event_id']) }},

final as (
    select
        judged.*,
        case when judged.quarantine_reason is null then {{ business_date('judged.occurred_at') }} end as occurred_date,
        {{ row_status() }} as row_status,
        {{ written_in_run() }}
    from judged
    left join row_versions on judged.batch = row_versions.batch and judged.source_row = row_versions.source_row
)

select * from final
