with changes as (

    select * from {{ ref('segment_membership_changes') }}
    where
        customer_id is not null
        and as_of_date <= {{ as_of_date() }}

),

intervals as (

    select
        customer_id,
        segmentation,
        segment_after as segment,
        as_of_date as valid_from,
        lead(as_of_date) over (
            partition by customer_id, segmentation
            order by as_of_date
        ) as valid_to,
        -- Of who is gone, the last segment.
        last_value(coalesce(segment_after, segment_before)) over (
            partition by customer_id, segmentation
            order by as_of_date
            rows between unbounded preceding and unbounded following
        ) as last_segment
    from changes

),

-- A customer who is gone leaves no interval behind, only the end of the one before.
-- Who has withdrawn the permission for special-category data is in none of its groups for any reader, in the past neither.
final as (

    select
        customer_id,
        segmentation,
        case when last_segment = 'not_permitted' then last_segment else segment end as segment,
        valid_from,
        valid_to
    from intervals
    where segment is not null

)

select * from final
