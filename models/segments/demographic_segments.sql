with features as (

    select * from {{ ref('customer_demographic_features') }}

),

rules as (

    select * from {{ ref('demographic_rules') }}

),

-- First match wins: the rule with the smallest priority.
placed as (

    select
        features.customer_id,
        min_by(rules.segment, rules.priority) as segment
    from features
    inner join rules
        on
            features.age_years >= rules.age_from
            and features.age_years <= rules.age_to
            and (features.household_type = rules.household_type or rules.household_type = 'any')
    group by features.customer_id

),

final as (

    select
        features.customer_id,
        features.as_of_date,
        coalesce(placed.segment, 'unknown') as segment,
        features.age_group,
        features.household_type,
        features.children_at_home
    from features
    left join placed on features.customer_id = placed.customer_id

)

select * from final
