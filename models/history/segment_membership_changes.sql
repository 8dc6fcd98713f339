-- The log of who moved. A run for a day writes that day again, and the next recorded day after it, because that day's changes are changes
-- against this one. What was recorded on the next day is read from the log as it stands. So any order of days leaves the same log.
--
-- One row per recorded day has no customer: it says that the day was recorded although perhaps nobody moved, and it lets a day that
-- lost its last change be replaced at all.
{{ configure_history() }}

with memberships as (

    {{ memberships() }}

),

-- Nothing on the very first day.
recorded as (

    {{ recorded_changes() }}

),

next_recorded_day as (

    select min(as_of_date) as next_day
    from recorded
    where
        customer_id is null
        and as_of_date > {{ as_of_date() }}

),

-- Who was where on the recorded day before: the last change up to then.
-- An empty text stands for "in no segment", because max_by skips nulls.
previous_states as (

    select
        customer_id,
        segmentation,
        max_by(coalesce(segment_after, ''), as_of_date) as segment
    from recorded
    where
        customer_id is not null
        and as_of_date < {{ as_of_date() }}
    group by customer_id, segmentation
    having max_by(coalesce(segment_after, ''), as_of_date) <> ''

),

-- Who was where on the next recorded day, as it was recorded.
next_states as (

    select
        recorded.customer_id,
        recorded.segmentation,
        max_by(coalesce(recorded.segment_after, ''), recorded.as_of_date) as segment
    from recorded
    inner join next_recorded_day on recorded.as_of_date <= next_recorded_day.next_day
    where recorded.customer_id is not null
    group by recorded.customer_id, recorded.segmentation
    having max_by(coalesce(recorded.segment_after, ''), recorded.as_of_date) <> ''

),

next_changes as (

    select
        coalesce(memberships.customer_id, next_states.customer_id) as customer_id,
        coalesce(memberships.segmentation, next_states.segmentation) as segmentation,
        memberships.segment as segment_before,
        next_states.segment as segment_after
    from memberships
    full outer join next_states
        on
            memberships.customer_id = next_states.customer_id
            and memberships.segmentation = next_states.segmentation
    where memberships.segment is distinct from next_states.segment

),

changes as (

    select
        coalesce(previous_states.customer_id, memberships.customer_id) as customer_id,
        coalesce(previous_states.segmentation, memberships.segmentation) as segmentation,
        previous_states.segment as segment_before,
        memberships.segment as segment_after
    from previous_states
    full outer join memberships
        on
            previous_states.customer_id = memberships.customer_id
            and previous_states.segmentation = memberships.segmentation
    where previous_states.segment is distinct from memberships.segment

),

final as (

    select
        {{ as_of_date() }} as as_of_date,
        customer_id,
        segmentation,
        segment_before,
        segment_after
    from changes
    union all
    select
        {{ as_of_date() }} as as_of_date,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        cast(null as {{ dbt.type_string() }}) as segmentation,
        cast(null as {{ dbt.type_string() }}) as segment_before,
        cast(null as {{ dbt.type_string() }}) as segment_after
    union all
    select
        next_recorded_day.next_day as as_of_date,
        next_changes.customer_id,
        next_changes.segmentation,
        next_changes.segment_before,
        next_changes.segment_after
    from next_changes
    inner join next_recorded_day on next_recorded_day.next_day is not null
    union all
    select
        next_day as as_of_date,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        cast(null as {{ dbt.type_string() }}) as segmentation,
        cast(null as {{ dbt.type_string() }}) as segment_before,
        cast(null as {{ dbt.type_string() }}) as segment_after
    from next_recorded_day
    where next_day is not null

)

select * from final
