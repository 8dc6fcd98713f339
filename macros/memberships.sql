{#-
    The current memberships, one row per customer and segmentation, out of a wide table: current_memberships, or what is published of it.
    A body for a CTE. A segmentation without a segment for a customer has no row.
-#}
{% macro memberships(model) -%}
    {%- for segmentation in segmentations() %}
    select
        customer_id,
        as_of_date,
        '{{ segmentation }}' as segmentation,
        {{ segmentation }}_segment as segment,
        {{ segmentation }}_since as since
    from {{ ref(model) }}
    where {{ segmentation }}_segment is not null
    {{- ' union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- A wide table of memberships without a row, with the right types, for the segmentations named. A body for a CTE. -#}
{% macro no_memberships(recorded) -%}
    select
        {%- for segmentation in recorded %}
        cast(null as {{ dbt.type_string() }}) as {{ segmentation }}_segment,
        cast(null as date) as {{ segmentation }}_since,
        {%- endfor %}
        cast(null as {{ dbt.type_string() }}) as customer_id
    where 1 = 0
{%- endmacro %}

{#- The columns of the wide table current_segments, in the order of the list, under the name that table has in the query. -#}
{% macro segment_columns(relation_name) -%}
    {%- for segmentation in segmentations() -%}
        {{ relation_name }}.{{ segmentation }}_segment{{ ',\n        ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- The segment and the beginning of each membership, out of a wide table that has both, under the name that table has in the query. -#}
{% macro membership_columns(relation_name) -%}
    {%- for segmentation in segmentations() -%}
        {{ relation_name }}.{{ segmentation }}_segment,
        {{ relation_name }}.{{ segmentation }}_since{{ ',\n        ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#-
    True where two wide tables differ in what they say of any of the segmentations `recorded` of a customer: the `segment`, or `since` when. Who is missing on one
    side is in no segment there.
-#}
{% macro any_differs(left, right, what, recorded) -%}
    (
        {%- for segmentation in recorded %}
        {{ left }}.{{ segmentation }}_{{ what }} is distinct from {{ right }}.{{ segmentation }}_{{ what }}
        {{- ' or' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{#-
    Where every customer was on a recorded day, and since when: a wide table, the body of a model. day: as a text; nobody without one.

    The run before has left the memberships of its day in current_memberships. The days that were recorded between that day and the one
    wanted are in the log; what it says about them is put on top, or taken back. So the cost follows what changed, not the length of the log.
    Where no run has left anything that fits the log, everything is read from the log.
-#}
{% macro memberships_recorded_on(day) -%}
    {%- set recorded = recorded_segmentations() %}
    {%- set left_behind = day_left_behind(recorded) %}
with

{%- if day is none %}

final as (

    {{ no_memberships(recorded) }}

)

{%- else %}

left_behind as (

    {%- if left_behind is none %}
    {{ no_memberships(recorded) }}
    {%- else %}
    select * from {{ as_left_behind('current_memberships') }}
    {%- endif %}

),

-- Each membership that was logged between the two days: as of the last change up to the day, or as before the first change after it.
-- An empty text stands for "in no segment", because max_by and min_by skip nulls.
logged as (

    {%- if left_behind is none or left_behind < day %}
    select
        customer_id,
        segmentation,
        max_by(coalesce(segment_after, ''), as_of_date) as segment,
        max(as_of_date) as since
    from {{ as_left_behind('segment_membership_changes') }}
    where
        customer_id is not null
        {%- if left_behind is not none %}
        and as_of_date > cast('{{ left_behind }}' as date)
        {%- endif %}
        and as_of_date <= cast('{{ day }}' as date)
    {%- else %}
    select
        customer_id,
        segmentation,
        min_by(coalesce(segment_before, ''), as_of_date) as segment,
        min_by(segment_before_since, as_of_date) as since
    from {{ as_left_behind('segment_membership_changes') }}
    where
        customer_id is not null
        and as_of_date > cast('{{ day }}' as date)
        and as_of_date <= cast('{{ left_behind }}' as date)
    {%- endif %}
    group by customer_id, segmentation

),

logged_by_customer as (

    select
        {%- for segmentation in recorded %}
        max(case when segmentation = '{{ segmentation }}' then segment end) as {{ segmentation }}_segment,
        max(case when segmentation = '{{ segmentation }}' then since end) as {{ segmentation }}_since,
        {%- endfor %}
        customer_id
    from logged
    group by customer_id

),

together as (

    select
        {%- for segmentation in recorded %}
        nullif(coalesce(logged.{{ segmentation }}_segment, left_behind.{{ segmentation }}_segment), '') as {{ segmentation }}_segment,
        case
            when logged.{{ segmentation }}_segment is null then left_behind.{{ segmentation }}_since
            when logged.{{ segmentation }}_segment <> '' then logged.{{ segmentation }}_since
        end as {{ segmentation }}_since,
        {%- endfor %}
        coalesce(logged.customer_id, left_behind.customer_id) as customer_id
    from left_behind
    full outer join logged_by_customer as logged on left_behind.customer_id = logged.customer_id

),

-- Who was in no segment was no customer.
final as (

    select * from together
    where
        {%- for segmentation in recorded %}
        {{ segmentation }}_segment is not null{{ ' or' if not loop.last }}
        {%- endfor %}

)

{%- endif %}

select * from final
{%- endmacro %}
