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
        theirs.audience_id as other_audience_id,
        count(*) as customers_in_both
    from memberships
    inner join memberships as theirs
        on
            memberships.person_id = theirs.person_id
            and memberships.audience_id <> theirs.audience_id
    group by memberships.audience_id, theirs.audience_id

),

final as (

    select
        audiences.audience_id,
        theirs.audience_id as other_audience_id,
        audiences.as_of_date,
        cast(coalesce(shared.customers_in_both, 0) as bigint) as customers_in_both,
        {{ ratio(
            'coalesce(shared.customers_in_both, 0)',
            'audiences.size + theirs.size - coalesce(shared.customers_in_both, 0)'
        ) }} as jaccard
    from audiences
    inner join audiences as theirs on audiences.audience_id <> theirs.audience_id
    left join shared
        on
            audiences.audience_id = shared.audience_id
            and theirs.audience_id = shared.other_audience_id

)

select * from final
