{%- set attributes = ['education', 'occupation', 'job_level', 'home_ownership'] -%}

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

scores as (

    select * from {{ ref('socio_economic_scores') }}

),

weights as (

    select
        {% for attribute in ['income'] + attributes -%}
        max(case when attribute = '{{ attribute }}' then weight end) as {{ attribute }}_weight{{ ',' if not loop.last }}
        {% endfor %}
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
        {% for attribute in attributes -%}
        {{ normalised('attributes.' ~ attribute) }} as {{ attribute }}{{ ',' if not loop.last }}
        {% endfor %}
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
        {% for attribute in attributes -%}
        {{ attribute }}_values.code as {{ attribute }}{{ ',' if not loop.last }}
        {% endfor %}
    from normalised
    left join income_bands on normalised.income_band = income_bands.income_band
    left join (select distinct country from income_scores) as own_countries on normalised.country = own_countries.country
    {% for attribute in attributes -%}
    left join attribute_values as {{ attribute }}_values
        on {{ attribute }}_values.attribute = '{{ attribute }}' and normalised.{{ attribute }} = {{ attribute }}_values.value
    {% endfor %}

),

scored as (

    select
        coded.*,
        income_scores.score as income_score,
        {% for attribute in attributes -%}
        {{ attribute }}_scores.score as {{ attribute }}_score{{ ',' if not loop.last }}
        {% endfor %}
    from coded
    left join income_scores
        on
            coded.income_country = income_scores.country
            and coded.income >= income_scores.income_from
            and coded.income < income_scores.income_to
    {% for attribute in attributes -%}
    left join scores as {{ attribute }}_scores
        on {{ attribute }}_scores.attribute = '{{ attribute }}' and coded.{{ attribute }} = {{ attribute }}_scores.code
    {% endfor %}

),

weighed as (

    select
        scored.customer_id,
        {% for attribute in ['income'] + attributes -%}
        case when scored.{{ attribute }}_score is not null then weights.{{ attribute }}_weight else 0 end{{ ' +' if not loop.last }}
        {% endfor -%}
        as evidence_weight,
        {% for attribute in ['income'] + attributes -%}
        coalesce(scored.{{ attribute }}_score * weights.{{ attribute }}_weight, 0){{ ' +' if not loop.last }}
        {% endfor -%}
        as weighted_score
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
