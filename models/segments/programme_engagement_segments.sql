with programme as (

    select * from {{ ref('customer_programme_features') }}

),

rules as (

    select * from {{ ref('programme_engagement_rules') }}

),

-- An empty cell of the rule table asks nothing. The first matching rule names the segment.
named as (

    select
        programme.customer_id,
        min_by(rules.segment, rules.priority) as segment
    from programme
    inner join rules
        on
            (rules.requires_member is null or programme.is_member = rules.requires_member)
            and (
                rules.minimum_recent_redemptions is null
                or programme.recent_points_redemptions >= rules.minimum_recent_redemptions
            )
            and (rules.minimum_month_entries is null or programme.month_entries >= rules.minimum_month_entries)
    where programme.is_programme_recorded
    group by programme.customer_id

),

final as (

    select
        programme.customer_id,
        programme.as_of_date,
        -- A source without any points tells nothing about members, whatever their tier.
        case when programme.is_programme_recorded then named.segment else 'unknown' end as segment,
        programme.is_member,
        programme.loyalty_tier,
        programme.tier_move,
        programme.month_points_earned,
        programme.month_points_spent,
        programme.recent_points_redemptions,
        programme.points_balance
    from programme
    left join named on programme.customer_id = named.customer_id

)

select * from final
