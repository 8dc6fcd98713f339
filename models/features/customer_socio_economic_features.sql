with customers as (

    select * from {{ ref('int_customers') }}

),

attributes as (

    select * from {{ ref('stg_customers') }}

),

attribute_values as (

    select
        attribute,
        value,
        code
    from {{ ref('attribute_values') }}

),

income_bands as (

    select * from {{ ref('income_bands') }}

),

income_scores as (

    select * from {{ ref('socio_economic_income_scores') }}

),

own_countries as (

    select distinct country from income_scores

),

scores as (

    select * from {{ ref('socio_economic_scores') }}

),

weights as (

    select
        max(case when attribute = 'income' then weight end) as income_weight,
        max(case when attribute = 'education' then weight end) as education_weight,
        max(case when attribute = 'occupation' then weight end) as occupation_weight,
        max(case when attribute = 'job_level' then weight end) as job_level_weight,
        max(case when attribute = 'home_ownership' then weight end) as home_ownership_weight
    from {{ ref('socio_economic_weights') }}

),

-- An income of zero is what registers write when nobody asked: it counts as not given.
normalised as (

    select
        customers.customer_id,
        customers.as_of_date,
        {{ normalised('attributes.country') }} as country,
        case when attributes.annual_income > 0 then attributes.annual_income end as annual_income,
        {{ normalised('attributes.income_band') }} as income_band,
        {{ normalised('attributes.employer') }} is not null as has_employer,
        {{ normalised('attributes.education') }} as education,
        {{ normalised('attributes.occupation') }} as occupation,
        {{ normalised('attributes.job_level') }} as job_level,
        {{ normalised('attributes.home_ownership') }} as home_ownership
    from customers
    inner join attributes on customers.customer_id = attributes.customer_id

),

coded as (

    select
        normalised.customer_id,
        normalised.has_employer,
        case
            when normalised.annual_income is not null then 'annual_income'
            when income_bands.income_band is not null then 'income_band'
            else 'none'
        end as income_source,
        coalesce(normalised.annual_income, income_bands.representative_income) as income,
        -- Rows of the customer's own country where there are any: what is much in one is little in another.
        coalesce(own_countries.country, 'any') as income_country,
        education_levels.code as education,
        occupation_groups.code as occupation,
        job_levels.code as job_level,
        home_ownerships.code as home_ownership
    from normalised
    left join income_bands on normalised.income_band = income_bands.income_band
    left join own_countries on normalised.country = own_countries.country
    left join attribute_values as education_levels
        on education_levels.attribute = 'education' and normalised.education = education_levels.value
    left join attribute_values as occupation_groups
        on occupation_groups.attribute = 'occupation' and normalised.occupation = occupation_groups.value
    left join attribute_values as job_levels
        on job_levels.attribute = 'job_level' and normalised.job_level = job_levels.value
    left join attribute_values as home_ownerships
        on home_ownerships.attribute = 'home_ownership' and normalised.home_ownership = home_ownerships.value

),

scored as (

    select
        coded.*,
        income_scores.score as income_score,
        education_scores.score as education_score,
        occupation_scores.score as occupation_score,
        job_level_scores.score as job_level_score,
        home_ownership_scores.score as home_ownership_score
    from coded
    left join income_scores
        on
            coded.income_country = income_scores.country
            and coded.income >= income_scores.income_from
            and coded.income < income_scores.income_to
    left join scores as education_scores
        on education_scores.attribute = 'education' and coded.education = education_scores.code
    left join scores as occupation_scores
        on occupation_scores.attribute = 'occupation' and coded.occupation = occupation_scores.code
    left join scores as job_level_scores
        on job_level_scores.attribute = 'job_level' and coded.job_level = job_level_scores.code
    left join scores as home_ownership_scores
        on home_ownership_scores.attribute = 'home_ownership' and coded.home_ownership = home_ownership_scores.code

),

weighed as (

    select
        scored.customer_id,
        case when scored.income_score is not null then weights.income_weight else 0 end
        + case when scored.education_score is not null then weights.education_weight else 0 end
        + case when scored.occupation_score is not null then weights.occupation_weight else 0 end
        + case when scored.job_level_score is not null then weights.job_level_weight else 0 end
        + case when scored.home_ownership_score is not null then weights.home_ownership_weight else 0 end as evidence_weight,
        coalesce(scored.income_score * weights.income_weight, 0)
        + coalesce(scored.education_score * weights.education_weight, 0)
        + coalesce(scored.occupation_score * weights.occupation_weight, 0)
        + coalesce(scored.job_level_score * weights.job_level_weight, 0)
        + coalesce(scored.home_ownership_score * weights.home_ownership_weight, 0) as weighted_score
    from scored
    cross join weights

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        coalesce(scored.education, 'unknown') as education_level,
        coalesce(scored.occupation, 'unknown') as occupation_group,
        coalesce(scored.job_level, 'unknown') as job_level,
        coalesce(scored.has_employer, false) as has_employer,
        coalesce(scored.home_ownership, 'unknown') as home_ownership,
        scored.income as annual_income,
        coalesce(scored.income_source, 'none') as income_source,

        cast(coalesce(weighed.evidence_weight, 0) as integer) as socio_economic_evidence,
        -- In whole points, rounded half up: equal statements give equal scores on every engine.
        cast(
            floor((2 * weighed.weighted_score + weighed.evidence_weight) / nullif(2 * weighed.evidence_weight, 0)) as integer
        ) as socio_economic_score
    from customers
    left join scored on customers.customer_id = scored.customer_id
    left join weighed on customers.customer_id = weighed.customer_id

)

select * from final
