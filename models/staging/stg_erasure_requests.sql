with

base as (
    select * from {{ ref('base_erasure_requests') }}
),

final as (
    select
        customer_id,
        requested_at,
        requested_date
    from base
    where row_status = 'used'
)

select * from final
