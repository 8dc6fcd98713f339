with

base as (
    select * from {{ ref('base_stores') }}
),

final as (
    select
        store_id,
        store_name,
        city,
        region,
        country,
        market,
        climate
    from base
    where row_status = 'used'
)

select * from final
