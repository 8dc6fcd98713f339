with

base as (
    select * from {{ ref('base_loyalty_ledger') }}
),

final as (
    select
        entry_id,
        customer_id,
        occurred_at,
        entry_type,
        points,
        reward_id,
        order_id,
        occurred_date
    from base
    where row_status = 'used'
)

select * from final
