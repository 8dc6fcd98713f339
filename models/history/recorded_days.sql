-- What each recorded day knew: a row that was loaded later, about a day before it, outdates it (outdated_days).
{{ configure_history() }}
-- It is the last word about a day, so it is written after everything that is recorded of it (begin_recording).
-- depends_on: {{ ref('campaign_members') }}
-- depends_on: {{ ref('segment_days') }}
-- depends_on: {{ ref('segment_flows') }}

with loads as (

    {%- for table in event_tables() %}
    select max(loaded_at) as loaded_at from {{ ref('base_' ~ table) }}
    union all
    {%- endfor %}
    select max(loaded_at) as loaded_at from {{ ref('base_customers') }}

),

final as (

    select
        {{ as_of_date() }} as as_of_date,
        max(loaded_at) as known_to,
        true as is_finished
    from loads

)

select * from final
