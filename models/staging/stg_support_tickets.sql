with

base as (
    select * from {{ ref('base_support_tickets') }}
),

final as (
    select
        ticket_id,
        customer_id,
        opened_at,
        first_reply_at,
        customer_replied_at,
        closed_at,
        topic,
        satisfaction_score,
        opened_date,
        first_reply_date,
        customer_replied_date,
        closed_date
    from base
    where row_status = 'used'
)

select * from final
