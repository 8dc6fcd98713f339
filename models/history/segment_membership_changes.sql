-- The log of who moved. A run for a day writes that day again, and every recorded day after it: the next day's changes are changes against
-- this one, and later rows say since when the segment before had lasted. Where the day is the last one, as on most nights, that is its own
-- changes alone. Where everybody was on the next recorded day is read from the log as it stands. So any order of days leaves the same log.
--
-- One row per recorded day has no customer: it says that the day was recorded although perhaps nobody moved, and it lets a day that
-- lost its last change be replaced at all.
{{ configure_history() }}
{{ config(pre_hook="{{ complete_log() }}") }}

with current_segments as (

    select * from {{ ref('current_segments') }}

),

previous_memberships as ( -- noqa: ST03

    select * from {{ ref('previous_memberships') }}

),

-- Nothing on the very first day.
recorded as (

    {{ recorded_changes() }}

),

{%- if is_incremental() %}

customers_with_changes as (

    select
        {%- for segmentation in segmentations() %}
        previous_memberships.{{ segmentation }}_segment as {{ segmentation }}_before,
        previous_memberships.{{ segmentation }}_since as {{ segmentation }}_before_since,
        current_segments.{{ segmentation }}_segment as {{ segmentation }}_after,
        {%- endfor %}
        coalesce(previous_memberships.customer_id, current_segments.customer_id) as customer_id
    from previous_memberships
    full outer join current_segments on previous_memberships.customer_id = current_segments.customer_id
    where {{ any_segment_differs('previous_memberships', 'current_segments') }}

),

changes as (

    {%- for segmentation in segmentations() %}
    select
        customer_id,
        '{{ segmentation }}' as segmentation,
        {{ segmentation }}_before as segment_before,
        {{ segmentation }}_before_since as segment_before_since,
        {{ segmentation }}_after as segment_after
    from customers_with_changes
    where {{ segmentation }}_before is distinct from {{ segmentation }}_after
    {{- ' union all' if not loop.last }}
    {%- endfor %}

),

{%- else %}

-- The first day of all: everybody comes.
changes as (

    {%- for segmentation in segmentations() %}
    select
        customer_id,
        '{{ segmentation }}' as segmentation,
        cast(null as {{ dbt.type_string() }}) as segment_before,
        cast(null as date) as segment_before_since,
        {{ segmentation }}_segment as segment_after
    from current_segments
    where {{ segmentation }}_segment is not null
    {{- ' union all' if not loop.last }}
    {%- endfor %}

),

{%- endif %}

next_recorded_day as (

    select min(as_of_date) as next_day
    from recorded
    where
        customer_id is null
        and as_of_date > {{ as_of_date() }}

),

-- What was logged of this day and of the next recorded one. It says where these customers were before, and on the next day.
-- An empty text stands for "in no segment", because min_by and max_by skip nulls.
replaced as (

    select
        recorded.customer_id,
        recorded.segmentation,
        min_by(coalesce(recorded.segment_before, ''), recorded.as_of_date) as segment_before,
        min_by(recorded.segment_before_since, recorded.as_of_date) as segment_before_since,
        max_by(coalesce(recorded.segment_after, ''), recorded.as_of_date) as segment_on_next_day
    from recorded
    inner join next_recorded_day
        on
            recorded.as_of_date >= {{ as_of_date() }}
            and recorded.as_of_date <= next_recorded_day.next_day
    where recorded.customer_id is not null
    group by recorded.customer_id, recorded.segmentation

),

-- Where there is a next day: the memberships that are, or were, logged on either of the two, on both of them. No other one moved.
touched as (

    select
        next_recorded_day.next_day,
        coalesce(changes.customer_id, replaced.customer_id) as customer_id,
        coalesce(changes.segmentation, replaced.segmentation) as segmentation,
        case when changes.customer_id is not null then changes.segment_after else nullif(replaced.segment_before, '') end as segment,
        case when changes.customer_id is not null then {{ as_of_date() }} else replaced.segment_before_since end as since,
        case
            when replaced.customer_id is not null then nullif(replaced.segment_on_next_day, '')
            else changes.segment_before
        end as segment_on_next_day
    from changes
    full outer join replaced
        on
            changes.customer_id = replaced.customer_id
            and changes.segmentation = replaced.segmentation
    inner join next_recorded_day on next_recorded_day.next_day is not null

),

next_changes as (

    select
        next_day as as_of_date,
        customer_id,
        segmentation,
        segment as segment_before,
        case when segment is not null then since end as segment_before_since,
        segment_on_next_day as segment_after
    from touched
    where segment is distinct from segment_on_next_day

),

later as (

    select
        recorded.*,
        row_number() over (
            partition by recorded.customer_id, recorded.segmentation
            order by recorded.as_of_date
        ) as place
    from recorded
    inner join next_recorded_day on recorded.as_of_date > next_recorded_day.next_day

),

-- The first later change of a membership ends what lasted on the next day.
later_changes as (

    select
        later.as_of_date,
        later.customer_id,
        later.segmentation,
        later.segment_before,
        case
            when later.place > 1 or touched.customer_id is null or later.segment_before is null then later.segment_before_since
            when next_changes.customer_id is not null then next_changes.as_of_date
            else touched.since
        end as segment_before_since,
        later.segment_after
    from later
    left join touched
        on
            later.customer_id = touched.customer_id
            and later.segmentation = touched.segmentation
    left join next_changes
        on
            later.customer_id = next_changes.customer_id
            and later.segmentation = next_changes.segmentation

),

days as (

    select {{ as_of_date() }} as as_of_date
    union all
    select next_day as as_of_date
    from next_recorded_day
    where next_day is not null

),

written as (

    select
        {{ as_of_date() }} as as_of_date,
        customer_id,
        segmentation,
        segment_before,
        segment_before_since,
        segment_after
    from changes
    union all
    {%- for others in ('next_changes', 'later_changes') %}
    select
        as_of_date,
        customer_id,
        segmentation,
        segment_before,
        segment_before_since,
        segment_after
    from {{ others }}
    union all
    {%- endfor %}
    select
        as_of_date,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        cast(null as {{ dbt.type_string() }}) as segmentation,
        cast(null as {{ dbt.type_string() }}) as segment_before,
        cast(null as date) as segment_before_since,
        cast(null as {{ dbt.type_string() }}) as segment_after
    from days

),

final as (

    select
        *,
        {{ written_in_run() }}
    from written

)

select * from final
