with

base as (
    select * from {{ ref('base_web_events') }}
),

final as (
    select
        event_id,
        customer_id,
        occurred_at,
        event_name,
        product_id,
        category,
        channel,
        referrer,
        occurred_date
    from base
    where row_status = 'used'
)

select * from final
