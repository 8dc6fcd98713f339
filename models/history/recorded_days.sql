-- What each recorded day knew: a row that was loaded later, about a day before it, outdates it (outdated_days).
{{ configure_history() }}

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
        max(loaded_at) as known_to
    from loads

)

select * from final
