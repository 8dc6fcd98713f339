-- Why: the funnel counts conditions, the audience lists members; where the two part, one of them was compiled otherwise.
-- Each step leaves what the one before it left less what it removes, and what the last one leaves is the audience.
with funnels as (

    select * from {{ ref('audience_funnels') }}

),

audiences as (

    select
        audience_id,
        size
    from {{ ref('audiences') }}

),

steps as (

    select
        *,
        lag(customers_left) over (partition by audience_id order by step) as left_before,
        lead(step) over (partition by audience_id order by step) as next_step
    from funnels

),

final as (

    select
        audiences.audience_id,
        steps.step,
        steps.left_before,
        steps.customers_removed,
        steps.customers_left,
        audiences.size
    from audiences
    left join steps on audiences.audience_id = steps.audience_id
    where
        steps.step is null
        or steps.customers_removed < 0
        or steps.customers_meeting < steps.customers_left
        or steps.left_before - steps.customers_removed <> steps.customers_left
        or (steps.next_step is null and steps.customers_left <> audiences.size)
)

select * from final
