with

base as (
    select * from {{ ref('base_campaign_contacts') }}
),

final as (
    select
        contact_id,
        campaign_id,
        customer_id,
        channel,
        sent_at,
        delivered_at,
        opened_at,
        clicked_at,
        converted_order_id,
        unsubscribed_at,
        sent_date,
        delivered_date,
        opened_date,
        clicked_date,
        unsubscribed_date
    from base
    where row_status = 'used'
)

select * from final
