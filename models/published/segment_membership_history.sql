-- A customer who is gone leaves no interval behind, only the end of the one before.
-- Who has withdrawn the permission for special-category data is in none of its groups for any reader, in the past neither.
with steps as (

    select * from {{ ref('segment_membership_steps') }}

),

final as (

    select
        customer_id,
        segmentation,
        case when is_withdrawn then 'not_permitted' else segment_after end as segment,
        as_of_date as valid_from,
        next_change_date as valid_to
    from steps
    where segment_after is not null

)

select * from final
