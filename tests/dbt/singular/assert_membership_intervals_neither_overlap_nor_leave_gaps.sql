-- Why: a report that joins the history on a day must find each customer once. Two checks, because the history holds millions of rows:
-- every stay that the log begins has ended once in the history or lasts, by number and fingerprint of the customers (checksum);
-- and one after the other the intervals of memberships that moved on the day described: they are half open, so the next one may begin
-- where the one before ends and no sooner, and begins just there unless the customer was gone in between, which the log says.
with changes as (

    select * from {{ ref('segment_membership_changes') }}
    where
        customer_id is not null
        and as_of_date <= {{ as_of_date() }}

),

begun as (

    select
        segmentation,
        as_of_date as valid_from,
        count(*) as customers,
        {{ checksum('customer_id') }} as fingerprint
    from changes
    where segment_after is not null
    group by segmentation, as_of_date

),

told as (

    select
        segmentation,
        valid_from,
        -count(*) as customers,
        -{{ checksum('customer_id') }} as fingerprint
    from {{ ref('segment_membership_history') }}
    group by segmentation, valid_from

),

begun_and_told as (

    select * from begun
    union all
    select * from told

),

moved as (

    select
        customer_id,
        segmentation
    from changes
    where
        segment_before is not null
        and as_of_date = {{ as_of_date() }}

),

intervals as (

    select
        history.customer_id,
        history.segmentation,
        history.valid_from,
        history.valid_to,
        lead(history.valid_from) over (
            partition by history.customer_id, history.segmentation
            order by history.valid_from
        ) as next_from
    from {{ ref('segment_membership_history') }} as history
    inner join moved
        on
            history.customer_id = moved.customer_id
            and history.segmentation = moved.segmentation

),

gone as (

    select
        customer_id,
        segmentation,
        as_of_date
    from changes
    where segment_after is null

)

select
    cast(null as {{ dbt.type_string() }}) as customer_id,
    segmentation,
    valid_from,
    cast(null as date) as valid_to,
    cast(null as date) as next_from
from begun_and_told
group by segmentation, valid_from
having
    sum(customers) <> 0
    or sum(fingerprint) <> 0
union all
select
    customer_id,
    segmentation,
    valid_from,
    valid_to,
    cast(null as date) as next_from
from {{ ref('segment_membership_history') }}
where valid_to <= valid_from
union all
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
    intervals.next_from < intervals.valid_to
    or (intervals.valid_to is null and intervals.next_from is not null)
    or (intervals.next_from > intervals.valid_to and gone.customer_id is null)
    or (intervals.next_from is null and intervals.valid_to is not null and gone.customer_id is null)
