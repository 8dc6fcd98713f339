with affinities as (

    select * from {{ ref('customer_affinity_features') }}

),

limits as (

    select
        {{ threshold('category_affinity_minimum_lines') }} as minimum_lines,
        {{ threshold('category_affinity_broad_minimum_lines') }} as broad_minimum_lines,
        {{ threshold('category_affinity_lift') }} as lift,
        {{ threshold('category_affinity_excess_share') }} as excess_share,
        {{ threshold('category_affinity_evidence') }} as evidence

),

final as (

    select
        affinities.customer_id,
        affinities.as_of_date,
        case
            when affinities.categorised_lines < limits.minimum_lines then 'unknown'
            when
                affinities.affinity_lift >= limits.lift
                and affinities.affinity_spend_share - affinities.affinity_population_share >= limits.excess_share
                and affinities.affinity_evidence >= limits.evidence
                then affinities.affinity_category
            when affinities.categorised_lines < limits.broad_minimum_lines then 'unknown'
            else 'broad'
        end as segment,
        affinities.categorised_lines,
        affinities.affinity_category,
        affinities.affinity_lines,
        affinities.affinity_spend_share,
        affinities.affinity_population_share,
        affinities.affinity_lift,
        affinities.affinity_evidence
    from affinities
    cross join limits

)

select * from final
