-- Published as recorded_days; in dbt that name is the history's.
{{ config(alias='recorded_days') }}

with recorded_days as (

    select * from {{ ref('recorded_days') }}
    where as_of_date <= {{ as_of_date() }}

),

outdated_days as (

    select * from {{ ref('outdated_days') }}

),

final as (

    select
        recorded_days.as_of_date,
        recorded_days.known_to,
        outdated_days.as_of_date is not null as is_outdated
    from recorded_days
    left join outdated_days on recorded_days.as_of_date = outdated_days.as_of_date

)

select * from final
