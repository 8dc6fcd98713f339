with final as (

    select
        model,
        fitted_as_of_date,
        calibrated_until,
        validated_until,
        measure,
        position,
        starts_on,
        is_holdout,
        customers,
        observed,
        predicted,
        relative_error
    from {{ ref('model_validations_in_force') }}

)

select * from final
