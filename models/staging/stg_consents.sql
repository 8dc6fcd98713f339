with

base as (
    select * from {{ ref('base_consents') }}
),

final as (
    select
        customer_id,
        purpose,
        channel,
        is_granted,
        changed_at,
        changed_date
    from base
    where row_status = 'used'
)

select * from final
