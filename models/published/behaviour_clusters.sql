with final as (

    select
        {{ as_of_date() }} as as_of_date,
        segment,
        feature,
        label,
        description,
        customer_share,
        rows_fitted,
        cluster_centre,
        population_median,
        standardised_difference,
        difference_rank,
        words,
        fitted_as_of_date
    from {{ ref('behaviour_cluster_differences') }}

)

select * from final
