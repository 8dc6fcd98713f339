with

base as (
    select * from {{ ref('base_products') }}
),

final as (
    select
        product_id,
        product_name,
        brand,
        department,
        category,
        quality_tier,
        is_private_label
    from base
    where row_status = 'used'
)

select * from final
