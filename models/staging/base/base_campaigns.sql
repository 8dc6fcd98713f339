{{ config(materialized='table') }}

with

landed as {{ inlined() }} (
    select * from {{ source('landing', 'campaigns') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('campaign_id') }} as campaign_id,
        {{ clean_text('campaign_name') }} as campaign_name,
        {{ clean_text('campaign_type') }} as campaign_type,
        {{ clean_code('channel') }} as channel,
        cast(starts_on as date) as starts_on,
        cast(ends_on as date) as ends_on,
        cast(cost_amount as decimal(18, 2)) as cost_amount,
        {{ clean_text('target_audience') }} as target_audience,
        {{ landing_columns() }}
    from landed
),

judged as {{ inlined() }} (
    select
        typed.*,
        {{ quarantine_reason(
            required=['campaign_id'],
            impossible={
                'ends_on is before starts_on': "ends_on < starts_on",
                'cost_amount is below zero': "cost_amount < 0"
            }
        ) }} as quarantine_reason
    from typed
),

{{ row_versions(key=['campaign_id']) }},

final as (
    select
        judged.*,
        {{ row_status() }} as row_status,
        {{ written_in_run() }}
    from judged
    left join row_versions on judged.batch = row_versions.batch and judged.source_row = row_versions.source_row
)

select * from final
