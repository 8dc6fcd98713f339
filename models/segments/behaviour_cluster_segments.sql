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
        {{ cluster_scales(features) }},
        max(fitted_as_of_date) as fitted_as_of_date
    from parameters
    where kind = 'feature'

),

centres as (

    select {{ cluster_centres(features, slots) }}
    from numbered

),

measured as (

    select
        customer_id,
        as_of_date,
        purchase_days as days_bought,
        recency_days as days_silent,
        amount_per_day as amount,
        {{ behaviour_measures(features) }}
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
        {{ standardised_measures(features) }}
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
        {{ cluster_distances(features, slots) }}
    from standardised
    cross join centres

),

-- least() skips nulls on both engines. At equal distances the first by name, so that the answer never changes from run to run.
nearest as (

    select
        *,
        {{ least_distance(slots) }} as cluster_distance
    from distances

),

placed as (

    select
        *,
        {{ nearest_cluster(slots) }} as cluster_name
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
                then {{ next_cluster_distance(slots) }}
        end as next_cluster_distance,
        placed.fitted_as_of_date
    from placed
    cross join limits

)

select * from final
