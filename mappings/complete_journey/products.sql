with products as (
    select * from '{{ source }}/products.parquet'
),

final as (
    select
        product_id,
        -- What kind of product it is and how it is packed: the nearest to a name that the data has.
        nullif(concat_ws(', ', product_type, package_size), '') as product_name,
        -- Brands are anonymous; the manufacturer's number tells them apart.
        manufacturer_id as brand,
        department,
        product_category as category,
        brand = 'Private' as is_private_label
    from products
)

select * from final
