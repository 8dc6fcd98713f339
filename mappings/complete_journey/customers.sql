-- Every household that any file knows. Only 801 of 2,469 told who they are; their answers stay the bands they are.
with transactions as (
    select household_id from '{{ source }}/transactions.parquet'
),

demographics as (
    select * from '{{ source }}/demographics.parquet'
),

campaigns as (
    select household_id from '{{ source }}/campaigns.parquet'
),

coupon_redemptions as (
    select household_id from '{{ source }}/coupon_redemptions.parquet'
),

households as (
    select household_id from transactions
    union
    select household_id from demographics
    union
    select household_id from campaigns
    union
    select household_id from coupon_redemptions
),

final as (
    select
        households.household_id as customer_id,
        demographics.age as age_band,
        demographics.marital_status,
        demographics.household_size,
        demographics.kids_count as children,
        demographics.income as income_band,
        demographics.home_ownership
    from households
    left join demographics on households.household_id = demographics.household_id
)

-- Ordered, because a batch numbers its rows.
select * from final
order by customer_id
