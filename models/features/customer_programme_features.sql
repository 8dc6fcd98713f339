with customers as (

    select * from {{ ref('int_customers') }}

),

profiles as (

    select * from {{ ref('stg_customers') }}

),

programme as (

    select * from {{ ref('int_customer_programme') }}

),

tiers as (

    select * from {{ ref('int_customer_tiers') }}

),

tier_ranks as (

    select
        tier,
        tier_rank
    from {{ ref('loyalty_tiers') }}

),

non_members as (

    select value from {{ ref('programme_non_members') }}

),

enrolment_channels as (

    select
        name,
        channel
    from {{ ref('enrolment_channels') }}

),

tenure_bands as (

    select * from {{ ref('enrolment_tenure_bands') }}

),

-- Without any movement of points in the whole source nothing can be said about anybody's part in the programme.
source_facts as (

    select count(*) > 0 as is_programme_recorded
    from programme

),

enrolled as (

    select
        customers.customer_id,
        customers.as_of_date,
        case
            when profiles.enrolment_channel is null then 'unknown'
            else coalesce(enrolment_channels.channel, 'other')
        end as enrolment_channel,
        -- Bought before signing up: on the day described the sign-up is still to come.
        case when profiles.signed_up_date < customers.as_of_date then profiles.signed_up_date end as enrolled_date,
        tiers.loyalty_tier,
        tiers.loyalty_tier_a_month_ago,
        tiers.loyalty_tier is not null and tier_words.value is null as has_tier,
        profiles.membership_type is not null and membership_words.value is null as has_membership
    from customers
    left join profiles on customers.customer_id = profiles.customer_id
    left join tiers on customers.customer_id = tiers.customer_id
    left join enrolment_channels on profiles.enrolment_channel = enrolment_channels.name
    left join non_members as tier_words on tiers.loyalty_tier = tier_words.value
    left join non_members as membership_words on profiles.membership_type = membership_words.value

),

dated as (

    select
        *,
        {{ months_between_dates('enrolled_date', 'as_of_date') }} as months_since_enrolment
    from enrolled

),

final as (

    select
        dated.customer_id,
        dated.as_of_date,

        dated.enrolment_channel,
        dated.enrolled_date,
        dated.months_since_enrolment,
        coalesce(tenure_bands.tenure_band, 'unknown') as tenure_band,

        source_facts.is_programme_recorded,
        dated.has_tier or dated.has_membership or programme.customer_id is not null as is_member,
        case when dated.has_tier then dated.loyalty_tier end as loyalty_tier,
        case
            when ranks_now.tier_rank > ranks_before.tier_rank then 'up'
            when ranks_now.tier_rank < ranks_before.tier_rank then 'down'
            when dated.loyalty_tier = dated.loyalty_tier_a_month_ago then 'none'
            else 'unknown'
        end as tier_move,

        cast(coalesce(programme.points_balance, 0) as decimal(18, 2)) as points_balance,
        cast(coalesce(programme.points_earned, 0) as decimal(18, 2)) as points_earned,
        cast(coalesce(programme.points_spent, 0) as decimal(18, 2)) as points_spent,
        cast(coalesce(programme.month_points_earned, 0) as decimal(18, 2)) as month_points_earned,
        cast(coalesce(programme.month_points_spent, 0) as decimal(18, 2)) as month_points_spent,
        cast(coalesce(programme.month_earnings, 0) + coalesce(programme.month_redemptions, 0) as bigint) as month_entries,
        cast(coalesce(programme.month_welcomes, 0) as bigint) as month_welcomes,
        cast(coalesce(programme.order_earnings, 0) as bigint) as order_earnings,
        cast(coalesce(programme.month_redemptions, 0) as bigint) as month_redemptions,
        cast(coalesce(programme.recent_points_redemptions, 0) as bigint) as recent_points_redemptions,
        cast(coalesce(programme.points_redemptions, 0) as bigint) as points_redemptions,
        programme.last_points_redemption_date,
        programme.last_entry_date as last_points_date
    from dated
    cross join source_facts
    left join programme on dated.customer_id = programme.customer_id
    left join tenure_bands
        on
            dated.months_since_enrolment >= tenure_bands.minimum_months
            and dated.months_since_enrolment <= coalesce(tenure_bands.maximum_months, dated.months_since_enrolment)
    left join tier_ranks as ranks_now on dated.loyalty_tier = ranks_now.tier
    left join tier_ranks as ranks_before on dated.loyalty_tier_a_month_ago = ranks_before.tier

)

select * from final
