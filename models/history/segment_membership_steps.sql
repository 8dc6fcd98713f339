-- The log up to the day described, each change beside the one before and the one after it of the same customer and segmentation. Found
-- once a night: intervals, memberships and migrations are read off it without putting anything in order again.
{{ config(materialized='table') }}

with changes as (

    select * from {{ ref('segment_membership_changes') }}
    where
        customer_id is not null
        and as_of_date <= {{ as_of_date() }}

),

final as (

    select
        as_of_date,
        customer_id,
        segmentation,
        segment_before,
        segment_after,
        lag(as_of_date) over changes_of_one as previous_change_date,
        lead(as_of_date) over changes_of_one as next_change_date,
        -- The last segment decides, that of a customer who is gone included.
        coalesce(
            last_value(coalesce(segment_after, segment_before)) over (
                partition by customer_id, segmentation
                order by as_of_date
                rows between unbounded preceding and unbounded following
            ) = 'not_permitted',
            false
        ) as is_withdrawn
    from changes
    window changes_of_one as (partition by customer_id, segmentation order by as_of_date)

)

select * from final
