{{ config(materialized='table') }}

with

landed as {{ inlined() }} (
    select * from {{ source('landing', 'products') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('product_id') }} as product_id,
        {{ clean_text('product_name') }} as product_name,
        {{ clean_text('brand') }} as brand,
        {{ clean_text('department') }} as department,
        {{ clean_text('category') }} as category,
        {{ clean_code('quality_tier') }} as quality_tier,
        cast(is_private_label as boolean) as is_private_label,
        {{ landing_columns() }}
    from landed
),

judged as {{ inlined() }} (
    select
        typed.*,
        {{ quarantine_reason(
            required=['product_id']
        ) }} as quarantine_reason
    from typed
),

{{ row_versions(key=['product_id']) }},

final as (
    select
        judged.*,
        {{ row_status() }} as row_status,
        {{ written_in_run() }}
    from judged
    left join row_versions on judged.batch = row_versions.batch and judged.source_row = row_versions.source_row
)

select * from final
