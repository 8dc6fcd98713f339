-- The log of who moved. A run for a day writes that day again, and every recorded day after it: the next day's changes are changes against
-- this one, and later rows say since when the segment before had lasted. Where the day is the last one, as on most nights, that is its own
-- changes alone. Where everybody is on the next recorded day stays as the log says it. So any order of days leaves the same log.
--
-- One row per recorded day has no customer: it says that the day was recorded although perhaps nobody moved, and it lets a day that
-- lost its last change be replaced at all.
{{ configure_history() }}
{{ config(pre_hook=["{{ begin_recording() }}", "{{ complete_log() }}"]) }}

{%- set next_day = recorded_day_after() %}
{%- set retired = retired_segmentations() %}
{%- set recorded = segmentations() + retired %}

with current_segments as (

    select *
    {%- for segmentation in retired %},
        cast(null as {{ dbt.type_string() }}) as {{ segmentation }}_segment
    {%- endfor %}
    from {{ ref('current_segments') }}

),

previous_memberships as ( -- noqa: ST03

    select * from {{ ref('previous_memberships') }}

),

current_memberships as ( -- noqa: ST03

    select * from {{ ref('current_memberships') }}

),

next_memberships as ( -- noqa: ST03

    select * from {{ ref('next_memberships') }}

),

{%- if is_incremental() %}

customers_with_changes as (

    select
        {%- for segmentation in recorded %}
        previous_memberships.{{ segmentation }}_segment as {{ segmentation }}_before,
        previous_memberships.{{ segmentation }}_since as {{ segmentation }}_before_since,
        current_segments.{{ segmentation }}_segment as {{ segmentation }}_after,
        {%- endfor %}
        coalesce(previous_memberships.customer_id, current_segments.customer_id) as customer_id
    from previous_memberships
    full outer join current_segments on previous_memberships.customer_id = current_segments.customer_id
    where {{ any_differs('previous_memberships', 'current_segments', 'segment', recorded) }}

),

changes as (

    {%- for segmentation in recorded %}
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

    {%- for segmentation in recorded %}
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

{%- if next_day %}

-- Who moves on the next recorded day, and whose segment has lasted longer or less by then than the log says so far.
customers_to_follow as (

    select
        {%- for segmentation in recorded %}
        current_memberships.{{ segmentation }}_segment,
        current_memberships.{{ segmentation }}_since,
        next_memberships.{{ segmentation }}_segment as {{ segmentation }}_next_segment,
        next_memberships.{{ segmentation }}_since as {{ segmentation }}_next_since,
        {%- endfor %}
        coalesce(current_memberships.customer_id, next_memberships.customer_id) as customer_id
    from current_memberships
    full outer join next_memberships on current_memberships.customer_id = next_memberships.customer_id
    where
        {{ any_differs('current_memberships', 'next_memberships', 'segment', recorded) }}
        or {{ any_differs('current_memberships', 'next_memberships', 'since', recorded) }}

),

followed as (

    {%- for segmentation in recorded %}
    select
        customer_id,
        '{{ segmentation }}' as segmentation,
        {{ segmentation }}_segment as segment,
        {{ segmentation }}_since as since,
        {{ segmentation }}_next_segment as next_segment,
        case
            when {{ segmentation }}_segment = {{ segmentation }}_next_segment then {{ segmentation }}_since
            when {{ segmentation }}_next_segment is not null then cast('{{ next_day }}' as date)
        end as next_since
    from customers_to_follow
    where
        {{ segmentation }}_segment is distinct from {{ segmentation }}_next_segment
        or {{ segmentation }}_since is distinct from {{ segmentation }}_next_since
    {{- ' union all' if not loop.last }}
    {%- endfor %}

),

next_changes as (

    select
        cast('{{ next_day }}' as date) as as_of_date,
        customer_id,
        segmentation,
        segment as segment_before,
        since as segment_before_since,
        next_segment as segment_after
    from followed
    where segment is distinct from next_segment

),

later as (

    select
        *,
        row_number() over (
            partition by customer_id, segmentation
            order by as_of_date
        ) as place
    from {{ this }}
    where as_of_date > cast('{{ next_day }}' as date)

),

-- The first later change of a membership ends what lasted on the next day.
later_changes as (

    select
        later.as_of_date,
        later.customer_id,
        later.segmentation,
        later.segment_before,
        case
            when later.place > 1 or followed.customer_id is null or later.segment_before is null then later.segment_before_since
            else followed.next_since
        end as segment_before_since,
        later.segment_after
    from later
    left join followed
        on
            later.customer_id = followed.customer_id
            and later.segmentation = followed.segmentation

),

{%- endif %}

days as (

    select {{ as_of_date() }} as as_of_date
    {%- if next_day %}
    union all
    select cast('{{ next_day }}' as date) as as_of_date
    {%- endif %}

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
    {%- for others in (['next_changes', 'later_changes'] if next_day else []) %}
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
