-- Where every customer was on the recorded day before the day described, and since when: what the day is compared with.
-- The run before has left the memberships of its day in current_memberships. The days that were recorded between that day and the one
-- wanted are in the log; what it says about them is put on top, or taken back. So the cost follows what changed, not the length of the log.
-- Where no run has left anything that fits the log, everything is read from the log.
{{ config(materialized='table') }}

{%- set wanted = recorded_day_before() %}
{%- set left_behind = day_left_behind() %}

with

{%- if wanted is none %}

{# Nothing was recorded before. #}
final as (

    {{ no_memberships() }}

)

{%- else %}

left_behind as (

    {%- if left_behind is none %}
    {{ no_memberships() }}
    {%- else %}
    select * from {{ as_left_behind('current_memberships') }}
    {%- endif %}

),

-- Each membership that was logged between the two days: as of the last change up to the day wanted, or as before the first change after it.
-- An empty text stands for "in no segment", because max_by and min_by skip nulls.
logged as (

    {%- if left_behind is none or left_behind < wanted %}
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
        and as_of_date <= cast('{{ wanted }}' as date)
    {%- else %}
    select
        customer_id,
        segmentation,
        min_by(coalesce(segment_before, ''), as_of_date) as segment,
        min_by(segment_before_since, as_of_date) as since
    from {{ as_left_behind('segment_membership_changes') }}
    where
        customer_id is not null
        and as_of_date > cast('{{ wanted }}' as date)
        and as_of_date <= cast('{{ left_behind }}' as date)
    {%- endif %}
    group by customer_id, segmentation

),

logged_by_customer as (

    select
        {%- for segmentation in segmentations() %}
        max(case when segmentation = '{{ segmentation }}' then segment end) as {{ segmentation }}_segment,
        max(case when segmentation = '{{ segmentation }}' then since end) as {{ segmentation }}_since,
        {%- endfor %}
        customer_id
    from logged
    group by customer_id

),

together as (

    select
        {%- for segmentation in segmentations() %}
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
        {%- for segmentation in segmentations() %}
        {{ segmentation }}_segment is not null{{ ' or' if not loop.last }}
        {%- endfor %}

)

{%- endif %}

select * from final
