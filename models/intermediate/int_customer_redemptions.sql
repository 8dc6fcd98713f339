{{ config_roll_up() }}

-- A coupon of no campaign answers nobody.
with redemptions as (

    select * from {{ ref('stg_coupon_redemptions') }}
    where
        campaign_id is not null
        and redeemed_date < {{ as_of_date() }}
        and {{ is_refreshed() }}

),

limits as (

    select cast({{ threshold('campaign_response_window_days') }} as integer) as window_days

),

final as (

    select
        redemptions.customer_id,
        count(*) as redemption_count,
        count(*) filter (
            where redemptions.redeemed_date >= {{ days_before(as_of_date(), 'limits.window_days') }}
        ) as window_redemptions,
        max(redemptions.redeemed_date) as last_redemption_date
    from redemptions
    cross join limits
    group by redemptions.customer_id

)

select * from final
