with final as (

    select
        model,
        parameter,
        value,
        standard_error,
        log_likelihood,
        rows_fitted,
        fitted_as_of_date
    from {{ ref('model_parameters_in_force') }}

)

select * from final
