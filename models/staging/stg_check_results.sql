{{ config(pre_hook="{{ ensure_source_table('operations', 'check_results') }}") }}

with check_results as (

    select * from {{ source('operations', 'check_results') }}

),

final as (

    select
        cast(build_id as {{ dbt.type_string() }}) as build_id,
        cast(as_of_date as date) as as_of_date,
        cast(checked_at as timestamp) as checked_at,
        cast(suite as {{ dbt.type_string() }}) as suite,
        cast(expectation as {{ dbt.type_string() }}) as expectation,
        cast(column_name as {{ dbt.type_string() }}) as column_name,
        cast(expected as {{ dbt.type_string() }}) as expected,
        cast(observed as {{ dbt.type_string() }}) as observed,
        cast(passed as boolean) as passed,
        cast(severity as {{ dbt.type_string() }}) as severity,
        cast(error as {{ dbt.type_string() }}) as error
    from check_results

)

select * from final
