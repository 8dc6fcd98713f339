{{ config(pre_hook="{{ ensure_source_table('operations', 'builds') }}") }}

with builds as (

    select * from {{ source('operations', 'builds') }}

),

final as (

    select
        cast(build_id as {{ dbt.type_string() }}) as build_id,
        cast(as_of_date as date) as as_of_date,
        cast(source as {{ dbt.type_string() }}) as source, -- noqa: RF04
        cast(code_version as {{ dbt.type_string() }}) as code_version,
        cast(status as {{ dbt.type_string() }}) as status,
        cast(started_at as timestamp) as started_at,
        cast(finished_at as timestamp) as finished_at,
        cast(as_known_at as timestamp) as as_known_at
    from builds

)

select * from final
