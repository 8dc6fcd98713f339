with rules as (

    select * from {{ ref('audience_rules') }}

),

memberships as (

    select * from {{ ref('audience_memberships') }}

),

counted as (

    select
        audience_id,
        count(*) as size,
        count(case when is_contactable then 1 end) as contactable_size,
        count(case when is_holdout then 1 end) as holdout_size
    from memberships
    group by audience_id

),

final as (

    select
        rules.audience_id,
        rules.name,
        rules.description,
        rules.owner,
        rules.purpose,
        rules.channel,
        {{ as_of_date() }} as as_of_date,
        cast(coalesce(counted.size, 0) as bigint) as size,
        cast(coalesce(counted.contactable_size, 0) as bigint) as contactable_size,
        cast(coalesce(counted.holdout_size, 0) as bigint) as holdout_size,
        rules.last_reviewed,
        rules.definition_hash
    from rules
    left join counted on rules.audience_id = counted.audience_id

)

select * from final
