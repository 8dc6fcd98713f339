{{ config(materialized='table') }}

with

landed as {{ inlined() }} (
    select * from {{ source('landing', 'consents') }}
),

known_customers as {{ inlined() }} (
    select customer_id as known_customer_id from {{ ref('stg_customers') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('customer_id') }} as customer_id,
        {{ clean_code('purpose') }} as purpose,
        coalesce({{ clean_code('channel') }}, 'any') as channel,
        cast(is_granted as boolean) as is_granted,
        cast(changed_at as timestamp) as changed_at,
        {{ landing_columns() }}
    from landed
),

judged as {{ inlined() }} (
    select
        typed.*,
        {{ quarantine_reason(
            required=['customer_id', 'purpose', 'is_granted', 'changed_at'],
            impossible={
                'changed_at is 1970-01-01 or before, or over a year after loading': out_of_time('changed_at')
            },
            customer=true
        ) }} as quarantine_reason
    from typed
    left join known_customers on typed.customer_id = known_customers.known_customer_id
),

{{ row_versions(key=['customer_id', 'purpose', 'channel', 'changed_at']) }},

final as (
    select
        judged.*,
        case when judged.quarantine_reason is null then {{ business_date('judged.changed_at') }} end as changed_date,
        {{ row_status() }} as row_status,
        {{ written_in_run() }}
    from judged
    left join row_versions on judged.batch = row_versions.batch and judged.source_row = row_versions.source_row
)

select * from final
