{{ config(pre_hook="{{ ensure_source_table('prediction', 'validations') }}") }}

with validations as (

    select * from {{ source('prediction', 'validations') }}

),

final as (

    select
        cast(model as {{ dbt.type_string() }}) as model, -- noqa: RF04
        cast(fitted_as_of_date as date) as fitted_as_of_date,
        cast(fitted_with as {{ dbt.type_string() }}) as fitted_with,
        cast(calibrated_until as date) as calibrated_until,
        cast(validated_until as date) as validated_until,
        cast(measure as {{ dbt.type_string() }}) as measure,
        cast(position as integer) as position, -- noqa: RF04
        cast(starts_on as date) as starts_on,
        cast(customers as bigint) as customers,
        cast(observed as double) as observed,
        cast(predicted as double) as predicted
    from validations

)

select * from final
