with programme as (

    select * from {{ ref('customer_programme_features') }}

),

rules as (

    select * from {{ ref('programme_engagement_rules') }}

),

-- One row. Where no earning of anybody names its order, the first purchase and a welcome look alike, and both are activity.
ledger as (

    select coalesce(sum(order_earnings), 0) > 0 as names_orders
    from programme

),

active as (

    select
        programme.*,
        programme.month_entries - case when ledger.names_orders then programme.month_welcomes else 0 end as month_activity
    from programme
    cross join ledger

),

-- An empty cell of the rule table asks nothing. The first matching rule names the segment.
named as (

    select
        active.customer_id,
        min_by(rules.segment, rules.priority) as segment
    from active
    inner join rules
        on
            (rules.requires_member is null or active.is_member = rules.requires_member)
            and (
                rules.minimum_recent_redemptions is null
                or active.recent_points_redemptions >= rules.minimum_recent_redemptions
            )
            and (rules.minimum_month_activity is null or active.month_activity >= rules.minimum_month_activity)
    where active.is_programme_recorded
    group by active.customer_id

),

final as (

    select
        active.customer_id,
        active.as_of_date,
        -- A source without any points tells nothing about members, whatever their tier.
        case when active.is_programme_recorded then named.segment else 'unknown' end as segment,
        active.is_member,
        active.loyalty_tier,
        active.tier_move,
        active.month_activity,
        active.month_points_earned,
        active.month_points_spent,
        active.recent_points_redemptions,
        active.points_balance
    from active
    left join named on active.customer_id = named.customer_id

)

select * from final
