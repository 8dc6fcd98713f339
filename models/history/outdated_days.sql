-- Few rows meet few rows here: recorded days, their segments, and loads.
{{ config(materialized='view') }}

with recorded_days as (

    select * from {{ ref('recorded_days') }}

),

arrivals as (

    select
        loaded_at,
        min(earliest_event_date) as earliest_event_date
    from {{ ref('event_arrivals') }}
    where
        earliest_event_date is not null
        -- What is reproduced knows of no later load.
        and {{ known_load('loaded_at') }}
    group by loaded_at

),

told as (

    select distinct
        as_of_date,
        segmentation
    from {{ ref('segment_days') }}
    where segmentation in ({{ segmentation_names() }})

),

first_days as (

    select
        segmentation,
        min(as_of_date) as first_date
    from told
    group by segmentation

),

-- Days recorded before a segmentation was there, where an earlier day has been recorded with it since: its members seem gone on them.
incomplete as (

    select distinct recorded_days.as_of_date
    from recorded_days
    inner join first_days on recorded_days.as_of_date > first_days.first_date
    left join told
        on
            recorded_days.as_of_date = told.as_of_date
            and first_days.segmentation = told.segmentation
    where told.as_of_date is null

),

final as (

    select
        recorded_days.as_of_date,
        recorded_days.known_to,
        min(arrivals.loaded_at) as outdated_at,
        min(arrivals.earliest_event_date) as earliest_event_date
    from recorded_days
    left join arrivals
        on
            recorded_days.as_of_date > arrivals.earliest_event_date
            and (recorded_days.known_to < arrivals.loaded_at or recorded_days.known_to is null)
    left join incomplete on recorded_days.as_of_date = incomplete.as_of_date
    where
        arrivals.loaded_at is not null
        or not coalesce(recorded_days.is_finished, true)
        or incomplete.as_of_date is not null
    group by recorded_days.as_of_date, recorded_days.known_to

)

select * from final
