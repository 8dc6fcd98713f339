with advocacy as (

    select * from {{ ref('customer_advocacy_features') }}

),

rules as (

    select * from {{ ref('advocacy_rules') }}

),

-- An empty cell of the rule table asks nothing; what nobody has said meets no condition. The first matching rule names the segment.
named as (

    select
        advocacy.customer_id,
        min_by(rules.segment, rules.priority) as segment
    from advocacy
    inner join rules
        on
            (rules.minimum_referrals_kept is null or advocacy.recent_referrals_kept >= rules.minimum_referrals_kept)
            and (rules.minimum_referrals_made is null or advocacy.recent_referrals_made >= rules.minimum_referrals_made)
            and (rules.recommendation is null or advocacy.recommendation = rules.recommendation)
            and (rules.satisfaction is null or advocacy.satisfaction = rules.satisfaction)
            and (rules.requires_satisfaction is null or (advocacy.satisfaction is not null) = rules.requires_satisfaction)
    group by advocacy.customer_id

),

final as (

    select
        advocacy.customer_id,
        advocacy.as_of_date,
        named.segment,
        advocacy.recent_referrals_made,
        advocacy.recent_referrals_kept,
        advocacy.recommendation_score,
        advocacy.recommendation,
        advocacy.ticket_satisfaction,
        advocacy.satisfaction
    from advocacy
    left join named on advocacy.customer_id = named.customer_id

)

select * from final
