{{ config(materialized='table') }}

with

landed as {{ inlined() }} (
    select * from {{ source('landing', 'coupon_redemptions') }}
),

known_customers as {{ inlined() }} (
    select customer_id as known_customer_id from {{ ref('stg_customers') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('redemption_id') }} as redemption_id,
        {{ clean_text('customer_id') }} as customer_id,
        {{ clean_text('coupon_id') }} as coupon_id,
        {{ clean_text('campaign_id') }} as campaign_id,
        {{ clean_text('order_id') }} as order_id,
        cast(redeemed_at as timestamp) as redeemed_at,
        {{ landing_columns() }}
    from landed
),

judged as {{ inlined() }} (
    select
        typed.*,
        {{ quarantine_reason(
            required=['redemption_id', 'customer_id', 'redeemed_at'],
            impossible={
                'redeemed_at is 1970-01-01 or before, or over a year after loading': out_of_time('redeemed_at')
            },
            customer=true
        ) }} as quarantine_reason
    from typed
    left join known_customers on typed.customer_id = known_customers.known_customer_id
),

{{ row_versions(key=['redemption_id']) }},

final as (
    select
        judged.*,
        case when judged.quarantine_reason is null then {{ business_date('judged.redeemed_at') }} end as redeemed_date,
        {{ row_status() }} as row_status,
        {{ written_in_run() }}
    from judged
    left join row_versions on judged.batch = row_versions.batch and judged.source_row = row_versions.source_row
)

select * from final
