-- A customer who is gone leaves no interval behind, only the end of the one before.
-- Who has withdrawn the permission for special-category data is in none of its groups for any reader, in the past neither.
with changes as (

    select * from {{ ref('segment_membership_changes') }}
    where
        segment_before is not null
        and as_of_date <= {{ as_of_date() }}

),

withdrawn_memberships as (

    select * from {{ ref('withdrawn_memberships') }}

),

final as (

    select
        changes.customer_id,
        changes.segmentation,
        case when withdrawn_memberships.customer_id is null then changes.segment_before else 'not_permitted' end as segment,
        changes.segment_before_since as valid_from,
        changes.as_of_date as valid_to
    from changes
    left join withdrawn_memberships
        on
            changes.customer_id = withdrawn_memberships.customer_id
            and changes.segmentation = withdrawn_memberships.segmentation

)

select * from final
