with

base as (
    select * from {{ ref('base_coupon_redemptions') }}
),

final as (
    select
        redemption_id,
        customer_id,
        coupon_id,
        campaign_id,
        order_id,
        redeemed_at,
        redeemed_date
    from base
    where row_status = 'used'
)

select * from final
