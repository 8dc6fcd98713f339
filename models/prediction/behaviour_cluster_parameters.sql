-- Names of parameters hold what they are about: cluster.<name>.<feature or share>, feature.<feature>.<figure>, fit.clusters.<figure>.
with parameters as (

    select * from {{ ref('model_parameters_in_force') }}
    where model = 'behaviour_cluster'

),

final as (

    select
        fitted_as_of_date,
        rows_fitted,
        {{ dbt.split_part('parameter', "'.'", 1) }} as kind,
        {{ dbt.split_part('parameter', "'.'", 2) }} as name, -- noqa: RF04
        {{ dbt.split_part('parameter', "'.'", 3) }} as figure,
        value
    from parameters

)

select * from final
