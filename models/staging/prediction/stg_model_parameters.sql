{{ config(pre_hook="{{ ensure_source_table('prediction', 'fitted_parameters') }}") }}

with fitted_parameters as (

    select * from {{ source('prediction', 'fitted_parameters') }}

),

final as (

    select
        cast(model as {{ dbt.type_string() }}) as model, -- noqa: RF04
        cast(fitted_as_of_date as date) as fitted_as_of_date,
        cast(fitted_with as {{ dbt.type_string() }}) as fitted_with,
        cast(parameter as {{ dbt.type_string() }}) as parameter, -- noqa: RF04
        cast(value as double) as value, -- noqa: RF04
        cast(standard_error as double) as standard_error
    from fitted_parameters

)

select * from final
