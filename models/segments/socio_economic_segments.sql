with features as (

    select * from {{ ref('customer_socio_economic_features') }}

),

rules as (

    select * from {{ ref('socio_economic_rules') }}

),

limits as (

    select {{ threshold('socio_economic_minimum_evidence') }} as minimum_evidence

),

-- The bands follow each other without overlap (tested): at most one rule matches.
final as (

    select
        features.customer_id,
        features.as_of_date,
        coalesce(rules.segment, 'unknown') as segment,
        features.socio_economic_score,
        features.socio_economic_evidence
    from features
    cross join limits
    left join rules
        on
            features.socio_economic_evidence >= limits.minimum_evidence
            and features.socio_economic_score >= rules.score_from
            and features.socio_economic_score < rules.score_to

)

select * from final
