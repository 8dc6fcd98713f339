-- Few rows meet few rows here: recorded days, and loads.
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

final as (

    select
        recorded_days.as_of_date,
        recorded_days.known_to,
        min(arrivals.loaded_at) as outdated_at,
        min(arrivals.earliest_event_date) as earliest_event_date
    from recorded_days
    inner join arrivals
        on
            recorded_days.as_of_date > arrivals.earliest_event_date
            and (recorded_days.known_to < arrivals.loaded_at or recorded_days.known_to is null)
    group by recorded_days.as_of_date, recorded_days.known_to

)

select * from final
