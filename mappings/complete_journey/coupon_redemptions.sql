-- Redemptions are known by day: midnight where the business is. No two rows are equal, so the row itself is the redemption's name.
with coupon_redemptions as (
    select * from '{{ source }}/coupon_redemptions.parquet'
),

final as (
    select
        concat_ws('-', household_id, coupon_upc, campaign_id, strftime(redemption_date, '%Y%m%d')) as redemption_id,
        household_id as customer_id,
        coupon_upc as coupon_id,
        campaign_id,
        cast(redemption_date as date) as redeemed_at
    from coupon_redemptions
)

select * from final
