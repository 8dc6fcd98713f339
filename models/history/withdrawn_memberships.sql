-- Who has withdrawn the permission for special-category data is in none of its groups for any reader, in the past neither.
-- The last segment decides; of who is gone, the one before leaving.
{{ config(materialized='table') }}

with memberships as (

    {{ memberships('current_memberships') }}

),

departures as (

    select
        customer_id,
        segmentation,
        max_by(segment_before, as_of_date) as last_segment
    from {{ ref('segment_membership_changes') }}
    where
        customer_id is not null
        and segment_after is null
        and as_of_date <= {{ as_of_date() }}
    group by customer_id, segmentation

),

final as (

    select
        customer_id,
        segmentation
    from memberships
    where segment = 'not_permitted'
    union all
    select
        departures.customer_id,
        departures.segmentation
    from departures
    left join memberships
        on
            departures.customer_id = memberships.customer_id
            and departures.segmentation = memberships.segmentation
    where
        departures.last_segment = 'not_permitted'
        and memberships.customer_id is null

)

select * from final
