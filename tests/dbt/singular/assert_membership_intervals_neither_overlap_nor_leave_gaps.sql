-- Why: a report that joins the history on a day must find each customer once. Intervals are half open, so the next one may begin
-- where the one before ends and no sooner; and it begins just there unless the customer was gone in between, which the log says.
with intervals as (

    select
        *,
        lead(valid_from) over (
            partition by customer_id, segmentation
            order by valid_from
        ) as next_from
    from {{ ref('segment_membership_history') }}

),

gone as (

    select
        customer_id,
        segmentation,
        as_of_date
    from {{ ref('segment_membership_changes') }}
    where
        customer_id is not null
        and segment_after is null

)

select
    intervals.customer_id,
    intervals.segmentation,
    intervals.valid_from,
    intervals.valid_to,
    intervals.next_from
from intervals
left join gone
    on
        intervals.customer_id = gone.customer_id
        and intervals.segmentation = gone.segmentation
        and intervals.valid_to = gone.as_of_date
where
    intervals.valid_to <= intervals.valid_from
    or intervals.next_from < intervals.valid_to
    or (intervals.valid_to is null and intervals.next_from is not null)
    or (intervals.next_from > intervals.valid_to and gone.customer_id is null)
    or (intervals.next_from is null and intervals.valid_to is not null and gone.customer_id is null)
