{%- set features = behaviour_features() %}
{%- set slots = range(1, cluster_slots() + 1) %}

with behaviour as (

    select * from {{ ref('customer_behaviour_features') }}

),

parameters as (

    select * from {{ ref('behaviour_cluster_parameters') }}

),

limits as (

    select cast({{ threshold('behaviour_cluster_minimum_purchase_days') }} as integer) as minimum_purchase_days

),

numbered as (

    select
        *,
        dense_rank() over (order by name) as slot
    from parameters
    where kind = 'cluster'

),

-- Scales and centres in one row each: a comparison with every cluster is then arithmetic on a row, and needs no row for each.
scales as (

    select
        {%- for feature in features %}
        {%- for figure in ['lower', 'upper', 'centre', 'scale'] %}
        max(case when name = '{{ feature }}' and figure = '{{ figure }}' then value end) as {{ feature }}_{{ figure }},
        {%- endfor %}
        {%- endfor %}
        max(fitted_as_of_date) as fitted_as_of_date
    from parameters
    where kind = 'feature'

),

centres as (

    select
        {%- for slot in slots %}
        {%- for feature in features %}
        max(case when slot = {{ slot }} and figure = '{{ feature }}' then value end) as {{ feature }}_{{ slot }},
        {%- endfor %}
        max(case when slot = {{ slot }} then name end) as name_{{ slot }}{{ ',' if not loop.last }}
        {%- endfor %}
    from numbered

),

measured as (

    select
        customer_id,
        as_of_date,
        purchase_days as days_bought,
        recency_days as days_silent,
        amount_per_day as amount,
        {%- for feature in features %}
        {{ behaviour_measure(feature) }} as {{ feature }}{{ ',' if not loop.last }}
        {%- endfor %}
    from behaviour

),

-- What is not known of a customer, and what was not used in the fit, is taken for typical.
standardised as (

    select
        measured.customer_id,
        measured.as_of_date,
        measured.days_bought,
        measured.days_silent,
        measured.amount,
        scales.fitted_as_of_date,
        {%- for feature in features %}
        case
            when measured.{{ feature }} is null or scales.{{ feature }}_scale is null then 0
            else
                (
                    greatest(scales.{{ feature }}_lower, least(scales.{{ feature }}_upper, measured.{{ feature }}))
                    - scales.{{ feature }}_centre
                ) / scales.{{ feature }}_scale
        end as {{ feature }}{{ ',' if not loop.last }}
        {%- endfor %}
    from measured
    cross join scales

),

distances as (

    select
        standardised.customer_id,
        standardised.as_of_date,
        standardised.days_bought,
        standardised.days_silent,
        standardised.amount,
        standardised.fitted_as_of_date,
        {%- for slot in slots %}
        {%- set squares = [] %}
        {%- for feature in features %}
        {%- set way = 'coalesce(standardised.' ~ feature ~ ' - centres.' ~ feature ~ '_' ~ slot ~ ', 0)' %}
        {%- do squares.append(way ~ ' * ' ~ way) %}
        {%- endfor %}
        centres.name_{{ slot }},
        case
            when centres.name_{{ slot }} is not null
                then {{ rounded('sqrt(' ~ squares | join(' + ') ~ ')') }}
        end as distance_{{ slot }}{{ ',' if not loop.last }}
        {%- endfor %}
    from standardised
    cross join centres

),

-- least() skips nulls on both engines. At equal distances the first by name, so that the answer never changes from run to run.
nearest as (

    select
        *,
        least({% for slot in slots %}distance_{{ slot }}{{ ', ' if not loop.last }}{% endfor %}) as cluster_distance
    from distances

),

placed as (

    select
        *,
        case
            {%- for slot in slots %}
            when distance_{{ slot }} = cluster_distance then name_{{ slot }}
            {%- endfor %}
        end as cluster_name
    from nearest

),

final as (

    select
        placed.customer_id,
        placed.as_of_date,
        case
            when placed.days_bought = 0 then 'none'
            when placed.days_bought < limits.minimum_purchase_days or placed.cluster_name is null then 'unknown'
            else placed.cluster_name
        end as segment,
        placed.days_bought as purchase_days,
        placed.days_silent as recency_days,
        placed.amount as amount_per_day,
        case when placed.days_bought >= limits.minimum_purchase_days then placed.cluster_distance end as cluster_distance,
        case
            when placed.days_bought >= limits.minimum_purchase_days
                then
                    least(
                        {%- for slot in slots %}
                        case when placed.name_{{ slot }} <> placed.cluster_name then placed.distance_{{ slot }} end{{ ',' if not loop.last }}
                        {%- endfor %}
                    )
        end as next_cluster_distance,
        placed.fitted_as_of_date
    from placed
    cross join limits

)

select * from final
