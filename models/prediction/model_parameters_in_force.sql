with fits as (

    select * from {{ ref('model_fits_in_force') }}

),

parameters as (

    select * from {{ ref('stg_model_parameters') }}

),

final as (

    select
        fits.model,
        parameters.parameter,
        parameters.value,
        parameters.standard_error,
        fits.log_likelihood,
        fits.rows_fitted,
        fits.fitted_as_of_date
    from fits
    inner join parameters
        on
            fits.model = parameters.model
            and fits.fitted_as_of_date = parameters.fitted_as_of_date
            and fits.fitted_with = parameters.fitted_with

)

select * from final
