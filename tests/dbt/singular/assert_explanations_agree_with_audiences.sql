-- Why: an explanation that says something else than the membership is worse than none. For every customer and every audience
-- the first condition is met exactly for the members; a priority group is the only thing that comes after it.
with explained as (

    select
        customer_id,
        audience_id
    from {{ ref('audience_explanations') }}
    where
        condition_path = '1'
        and outcome = 'met'

),

memberships as (

    select
        person_id as customer_id,
        audience_id
    from {{ ref('audience_memberships') }}

),

rules as (

    select
        audience_id,
        priority_group
    from {{ ref('audience_rules') }}

),

-- Where the person landed instead, in the same group.
placed as (

    select
        memberships.customer_id,
        rules.priority_group
    from memberships
    inner join rules on memberships.audience_id = rules.audience_id

)

select
    memberships.customer_id,
    memberships.audience_id,
    'member whose conditions are not met' as what
from memberships
left join explained
    on
        memberships.customer_id = explained.customer_id
        and memberships.audience_id = explained.audience_id
where explained.customer_id is null

union all

select
    explained.customer_id,
    explained.audience_id,
    'conditions met, and in no audience of the group' as what
from explained
inner join rules on explained.audience_id = rules.audience_id
left join placed
    on
        explained.customer_id = placed.customer_id
        and rules.priority_group = placed.priority_group
where placed.customer_id is null
