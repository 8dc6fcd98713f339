with fits as (

    select * from {{ ref('model_fits_in_force') }}

),

validations as (

    select * from {{ ref('stg_model_validations') }}

),

final as (

    select
        fits.model,
        fits.fitted_as_of_date,
        validations.calibrated_until,
        validations.validated_until,
        validations.measure,
        validations.position,
        validations.starts_on,
        coalesce(validations.starts_on >= validations.calibrated_until, true) as is_holdout,
        validations.customers,
        validations.observed,
        validations.predicted,
        {{ ratio('validations.predicted - validations.observed', 'validations.observed') }} as relative_error
    from fits
    inner join validations
        on
            fits.model = validations.model
            and fits.fitted_as_of_date = validations.fitted_as_of_date
            and fits.fitted_with = validations.fitted_with

)

select * from final
