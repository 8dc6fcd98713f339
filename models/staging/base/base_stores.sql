{{ config(materialized='table') }}

with

landed as {{ inlined() }} (
    select * from {{ source('landing', 'stores') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('store_id') }} as store_id,
        {{ clean_text('store_name') }} as store_name,
        {{ clean_text('city') }} as city,
        {{ clean_text('region') }} as region,
        {{ clean_text('country') }} as country,
        {{ clean_text('market') }} as market,
        {{ clean_code('climate') }} as climate,
        {{ landing_columns() }}
    from landed
),

judged as {{ inlined() }} (
    select
        typed.*,
        {{ quarantine_reason(
            required=['store_id']
        ) }} as quarantine_reason
    from typed
),

{{ row_versions(key=['store_id']) }},

final as (
    select
        judged.*,
        {{ row_status() }} as row_status,
        {{ written_in_run() }}
    from judged
    left join row_versions on judged.batch = row_versions.batch and judged.source_row = row_versions.source_row
)

select * from final
