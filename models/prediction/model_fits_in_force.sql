with fits as (

    select * from {{ ref('stg_model_fits') }}
    where
        converged
        and fitted_as_of_date <= {{ fit_day() }}
        and fitted_with in {{ settings_in_force() }}

),

latest as (

    select
        model,
        max(fitted_as_of_date) as fitted_as_of_date
    from fits
    group by model

),

final as (

    select
        fits.model,
        fits.fitted_as_of_date,
        fits.fitted_with,
        fits.log_likelihood,
        fits.rows_fitted
    from fits
    inner join latest on fits.model = latest.model and fits.fitted_as_of_date = latest.fitted_as_of_date

)

select * from final
