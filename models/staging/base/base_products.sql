with

landed as {{ inlined() }} (
    {{ landed_rows(source('landing', 'products')) }}
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

{{ staged_rows(
    key=['product_id'],
    required=['product_id']
) }}

select * from final
