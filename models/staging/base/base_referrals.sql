{{ config(materialized='table') }}

with

landed as {{ inlined() }} (
    select * from {{ source('landing', 'referrals') }}
),

known_customers as {{ inlined() }} (
    select customer_id as known_customer_id from {{ ref('stg_customers') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('referrer_customer_id') }} as referrer_customer_id,
        {{ clean_text('referred_customer_id') }} as referred_customer_id,
        cast(referred_at as timestamp) as referred_at,
        {{ landing_columns() }}
    from landed
),

judged as {{ inlined() }} (
    select
        typed.*,
        {{ quarantine_reason(
            required=['referrer_customer_id', 'referred_at'],
            impossible={
                'referred_at is 1970-01-01 or before, or over a year after loading': out_of_time('referred_at'),
                'the customer refers themself': "referrer_customer_id = referred_customer_id"
            },
            customer=true
        ) }} as quarantine_reason
    from typed
    left join known_customers on typed.referrer_customer_id = known_customers.known_customer_id
),

{{ row_versions(key=['referrer_customer_id', 'referred_customer_id', 'referred_at']) }},

final as (
    select
        judged.*,
        case when judged.quarantine_reason is null then {{ business_date('judged.referred_at') }} end as referred_date,
        {{ row_status() }} as row_status,
        {{ written_in_run() }}
    from judged
    left join row_versions on judged.batch = row_versions.batch and judged.source_row = row_versions.source_row
)

select * from final
