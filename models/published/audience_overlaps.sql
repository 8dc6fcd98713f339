with audiences as (

    select
        audience_id,
        as_of_date,
        size
    from {{ ref('audiences') }}

),

memberships as (

    select
        person_id,
        audience_id
    from {{ ref('audience_memberships') }}

),

shared as (

    select
        memberships.audience_id,
        others.audience_id as other_audience_id,
        count(*) as customers_in_both
    from memberships
    inner join memberships as others
        on
            memberships.person_id = others.person_id
            and memberships.audience_id <> others.audience_id
    group by memberships.audience_id, others.audience_id

),

final as (

    select
        audiences.audience_id,
        others.audience_id as other_audience_id,
        audiences.as_of_date,
        cast(coalesce(shared.customers_in_both, 0) as bigint) as customers_in_both,
        {{ ratio(
            'coalesce(shared.customers_in_both, 0)',
            'audiences.size + others.size - coalesce(shared.customers_in_both, 0)'
        ) }} as jaccard
    from audiences
    inner join audiences as others on audiences.audience_id <> others.audience_id
    left join shared
        on
            audiences.audience_id = shared.audience_id
            and others.audience_id = shared.other_audience_id

)

select * from final
