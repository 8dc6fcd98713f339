with memberships as (

    {{ memberships() }}

),

changes as (

    select * from {{ ref('segment_membership_changes') }}
    where
        customer_id is not null
        and as_of_date <= {{ as_of_date() }}

),

-- The last change led into the segment the customer is in now.
last_changes as (

    select
        customer_id,
        segmentation,
        max(as_of_date) as member_since
    from changes
    group by customer_id, segmentation

),

final as (

    select
        memberships.customer_id,
        memberships.segmentation,
        memberships.segment,
        {{ as_of_date() }} as as_of_date,
        last_changes.member_since
    from memberships
    inner join last_changes
        on
            memberships.customer_id = last_changes.customer_id
            and memberships.segmentation = last_changes.segmentation

)

select * from final
