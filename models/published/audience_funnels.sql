with counts as (

    select * from {{ ref('audience_funnel_counts') }}

),

audiences as (

    select
        audience_id,
        size
    from {{ ref('audiences') }}

),

rules as (

    select
        audience_id,
        priority_group
    from {{ ref('audience_rules') }}

),

conditions as (
    {%- if execute %}
    {{ audience_funnel_rows('counts', audience_definitions()) }}
    {%- endif %}

),

last_steps as (

    select
        audience_id,
        max(step) as step,
        min(customers_left) as customers_left
    from conditions
    group by audience_id

),

-- Whom an audience that comes first in the group takes away.
priorities as (

    select
        last_steps.audience_id,
        last_steps.step + 1 as step,
        'in no audience before it of the priority group ' || rules.priority_group as condition_text,
        audiences.size as customers_meeting,
        audiences.size as customers_left,
        last_steps.customers_left - audiences.size as customers_removed
    from last_steps
    inner join rules on last_steps.audience_id = rules.audience_id
    inner join audiences on last_steps.audience_id = audiences.audience_id
    where rules.priority_group <> rules.audience_id

),

steps as (

    select * from conditions
    union all
    select * from priorities

),

final as (

    select
        audience_id,
        cast(step as integer) as step,
        {{ as_of_date() }} as as_of_date,
        condition_text,
        cast(customers_meeting as bigint) as customers_meeting,
        cast(customers_left as bigint) as customers_left,
        cast(customers_removed as bigint) as customers_removed
    from steps

)

select * from final
