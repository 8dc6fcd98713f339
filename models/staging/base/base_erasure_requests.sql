{{ config(materialized='table') }}

with

landed as {{ inlined() }} (
    select * from {{ source('landing', 'erasure_requests') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('customer_id') }} as customer_id,
        cast(requested_at as timestamp) as requested_at,
        {{ landing_columns() }}
    from landed
),

judged as {{ inlined() }} (
    select
        typed.*,
        {{ quarantine_reason(
            required=['customer_id', 'requested_at'],
            impossible={
                'requested_at is 1970-01-01 or before, or over a year after loading': out_of_time('requested_at')
            }
        ) }} as quarantine_reason
    from typed
),

{{ row_versions(key=['customer_id', 'requested_at']) }},

final as (
    select
        judged.*,
        case when judged.quarantine_reason is null then {{ business_date('judged.requested_at') }} end as requested_date,
        {{ row_status() }} as row_status,
        {{ written_in_run() }}
    from judged
    left join row_versions on judged.batch = row_versions.batch and judged.source_row = row_versions.source_row
)

select * from final
