-- Who may be described by special-category data on this day. A refusal through any channel withdraws the permission, a grant must be for
-- every channel ("any", or no channel named), and a grant and a refusal at the same moment are a refusal.
with consents as (

    select * from {{ ref('stg_consents') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

changes as (

    select
        customer_id,
        max(case when is_granted and coalesce({{ normalised('channel') }}, 'any') = 'any' then changed_at end) as granted_at,
        max(case when not is_granted then changed_at end) as refused_at
    from consents
    where
        {{ normalised('purpose') }} = 'special_category'
        and changed_date < {{ as_of_date() }}
    group by customer_id

),

final as (

    select
        changes.customer_id,
        changes.granted_at
    from changes
    inner join customers on changes.customer_id = customers.customer_id
    where
        changes.granted_at is not null
        and (changes.refused_at is null or changes.refused_at < changes.granted_at)

)

select * from final
