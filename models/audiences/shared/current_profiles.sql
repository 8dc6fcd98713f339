-- Features and segments side by side, joined once: what customer_profiles publishes, and what audiences read of a customer.
with customers as (

    select * from {{ ref('stg_customers') }}

),

orders as (

    select * from {{ ref('customer_order_features') }}

),

rhythm as (

    select * from {{ ref('customer_rhythm_features') }}

),

trend as (

    select * from {{ ref('customer_trend_features') }}

),

promotion as (

    select * from {{ ref('customer_promotion_features') }}

),

categories as (

    select * from {{ ref('customer_category_features') }}

),

seasons as (

    select * from {{ ref('customer_season_features') }}

),

lifetime_values as (

    select * from {{ ref('customer_lifetime_values') }}

),

growth as (

    select * from {{ ref('customer_growth_features') }}

),

discounts as (

    select * from {{ ref('customer_discount_features') }}

),

quality as (

    select * from {{ ref('customer_quality_features') }}

),

payments as (

    select * from {{ ref('customer_payment_features') }}

),

channels as (

    select * from {{ ref('customer_channel_features') }}

),

affinities as (

    select * from {{ ref('customer_affinity_features') }}

),

holidays as (

    select * from {{ ref('customer_holiday_features') }}

),

journey as (

    select * from {{ ref('customer_journey_features') }}

),

response as (

    select * from {{ ref('customer_response_features') }}

),

contact as (

    select * from {{ ref('customer_contact_preference_features') }}

),

programme as (

    select * from {{ ref('customer_programme_features') }}

),

advocacy as (

    select * from {{ ref('customer_advocacy_features') }}

),

demographic as (

    select * from {{ ref('customer_demographic_features') }}

),

socio_economic as (

    select * from {{ ref('customer_socio_economic_features') }}

),

geographic as (

    select * from {{ ref('customer_geographic_features') }}

),

psychographic as (

    select * from {{ ref('customer_psychographic_features') }}

),

needs as (

    select * from {{ ref('customer_needs_features') }}

),

current_segments as (

    select * from {{ ref('current_segments') }}

),

final as (

    select
        orders.customer_id,
        orders.as_of_date,

        customers.country,
        customers.region,
        geographic.home_store_id,
        geographic.market,
        geographic.climate,
        customers.membership_type,
        programme.loyalty_tier,
        programme.enrolment_channel,

        -- The exact age beside the days until the birthday would be the date of birth.
        demographic.age_group,
        demographic.days_until_birthday,
        demographic.gender,
        demographic.household_type,
        demographic.children_at_home,
        socio_economic.education_level,
        socio_economic.occupation_group,
        socio_economic.job_level,
        socio_economic.home_ownership,
        customers.income_band,
        psychographic.traits,
        needs.stated_need,

        orders.customer_since_date,
        orders.first_order_date,
        orders.last_order_date,
        orders.tenure_days,
        orders.recency_days,
        orders.order_count,
        orders.orders_30d,
        orders.orders_90d,
        orders.orders_365d,
        orders.net_amount,
        orders.net_amount_30d,
        orders.net_amount_90d,
        orders.net_amount_365d,
        orders.mean_order_amount,
        orders.returned_share,
        orders.margin_amount,

        rhythm.purchase_days,
        rhythm.active_months,
        rhythm.mean_gap_days,
        rhythm.usual_gap_days,
        rhythm.silence_ratio,

        trend.last_window_amount,
        trend.previous_window_amount,
        trend.year_ago_window_amount,

        promotion.promoted_spend_share,
        promotion.promoted_order_share,
        promotion.promotion_index,
        promotion.coupon_order_count,

        categories.category_count,
        categories.leading_category,
        categories.leading_category_share,
        categories.leading_category_lift,
        affinities.affinity_category,
        affinities.affinity_lift,

        seasons.active_periods,
        seasons.season_peak_month,
        lifetime_values.probability_alive,
        lifetime_values.expected_orders,
        lifetime_values.expected_order_value,
        lifetime_values.customer_lifetime_value,
        lifetime_values.lifetime_value_trend,
        growth.growth_gap,
        growth.amount_gap,
        discounts.discount_depth,
        discounts.discount_depth_index,
        quality.unit_price_index,
        quality.premium_share,
        quality.private_label_share,
        payments.leading_payment_method,
        payments.leading_payment_share,
        channels.leading_channel,
        channels.leading_channel_share,
        holidays.holiday_spend_share,
        holidays.holiday_lift,

        journey.days_since_comeback,
        journey.web_days_90d,
        journey.days_since_last_web_day,
        journey.days_since_abandoned_cart,
        journey.ticket_count_365d,
        journey.unanswered_ticket_count,
        journey.days_since_unreturned_reply,

        response.window_contacts,
        response.open_rate,
        response.click_rate,
        response.response_rate,
        response.window_responses,
        response.recent_contacts,
        response.answer_rate_change,
        response.days_since_last_contact,
        response.last_redemption_date,
        response.is_unsubscribed,
        contact.best_weekday,
        contact.best_hour,

        programme.months_since_enrolment,
        programme.tenure_band,
        programme.is_member,
        programme.tier_move,
        programme.points_balance,
        programme.month_points_earned,
        programme.month_points_spent,
        programme.last_points_redemption_date,

        advocacy.recent_referrals_made,
        advocacy.recent_referrals_kept,
        advocacy.recommendation_score,
        advocacy.satisfaction_score,
        advocacy.ticket_satisfaction,

        {{ segment_columns('current_segments') }}
    from orders
    inner join current_segments on orders.customer_id = current_segments.customer_id
    inner join rhythm on orders.customer_id = rhythm.customer_id
    inner join trend on orders.customer_id = trend.customer_id
    inner join promotion on orders.customer_id = promotion.customer_id
    inner join categories on orders.customer_id = categories.customer_id
    inner join seasons on orders.customer_id = seasons.customer_id
    inner join lifetime_values on orders.customer_id = lifetime_values.customer_id
    inner join growth on orders.customer_id = growth.customer_id
    inner join discounts on orders.customer_id = discounts.customer_id
    inner join quality on orders.customer_id = quality.customer_id
    inner join payments on orders.customer_id = payments.customer_id
    inner join channels on orders.customer_id = channels.customer_id
    inner join affinities on orders.customer_id = affinities.customer_id
    inner join holidays on orders.customer_id = holidays.customer_id
    inner join journey on orders.customer_id = journey.customer_id
    inner join response on orders.customer_id = response.customer_id
    inner join contact on orders.customer_id = contact.customer_id
    inner join programme on orders.customer_id = programme.customer_id
    inner join advocacy on orders.customer_id = advocacy.customer_id
    inner join demographic on orders.customer_id = demographic.customer_id
    inner join socio_economic on orders.customer_id = socio_economic.customer_id
    inner join geographic on orders.customer_id = geographic.customer_id
    inner join psychographic on orders.customer_id = psychographic.customer_id
    inner join needs on orders.customer_id = needs.customer_id
    inner join customers on orders.customer_id = customers.customer_id

)

select * from final
