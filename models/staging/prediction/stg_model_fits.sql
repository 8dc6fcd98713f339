{{ config(pre_hook="{{ ensure_source_table('prediction', 'fits') }}") }}

with fits as (

    select * from {{ source('prediction', 'fits') }}

),

final as (

    select
        cast(model as {{ dbt.type_string() }}) as model, -- noqa: RF04
        cast(fitted_as_of_date as date) as fitted_as_of_date,
        cast(fitted_with as {{ dbt.type_string() }}) as fitted_with,
        cast(converged as boolean) as converged,
        cast(reason as {{ dbt.type_string() }}) as reason,
        cast(log_likelihood as double) as log_likelihood,
        cast(rows_fitted as bigint) as rows_fitted,
        cast(fitted_at as timestamp) as fitted_at
    from fits

)

select * from final
