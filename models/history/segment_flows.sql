-- How many moved from where to where, day by day: the log counted once, when a day is written, and not every time that sizes are asked for.
-- A day's row without a segmentation counts its mark in the log, and lets a day that lost its last move be replaced at all.
{{ configure_history() }}
{{ config(pre_hook="{{ begin_recording() }}") }}

with changes as (

    select * from {{ ref('segment_membership_changes') }}
    {%- if is_incremental() %}
    -- A run writes its day and those after it.
    where as_of_date >= {{ as_of_date() }}
    {%- endif %}

),

final as (

    select
        as_of_date,
        segmentation,
        segment_before,
        segment_after,
        count(*) as customers
    from changes
    group by as_of_date, segmentation, segment_before, segment_after

)

select * from final
