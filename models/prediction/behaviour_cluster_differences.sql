{%- set features = behaviour_features() %}

with parameters as (

    select * from {{ ref('behaviour_cluster_parameters') }}

),

features as (

    select * from {{ ref('behaviour_cluster_features') }}

),

limits as (

    select cast({{ threshold('behaviour_cluster_minimum_deviation') }} as double) as minimum_deviation

),

shares as (

    select
        fitted_as_of_date,
        rows_fitted,
        name as segment,
        value as customer_share
    from parameters
    where kind = 'cluster' and figure = 'share'

),

centres as (

    select
        name as segment,
        figure as feature,
        {{ rounded('value') }} as standardised_difference
    from parameters
    where kind = 'cluster' and figure <> 'share'

),

scales as (

    select
        name as feature,
        max(case when figure = 'centre' then value end) as centre,
        max(case when figure = 'scale' then value end) as scale -- noqa: RF04
    from parameters
    where kind = 'feature'
    group by name

),

-- What sets a cluster apart comes first; of equal differences the first by name.
ranked as (

    select
        shares.fitted_as_of_date,
        shares.rows_fitted,
        shares.segment,
        shares.customer_share,
        centres.feature,
        features.label,
        features.above,
        features.below,
        centres.standardised_difference,
        scales.centre as population_measure,
        scales.centre + scales.scale * centres.standardised_difference as cluster_measure,
        cast(row_number() over (
            partition by shares.segment
            order by abs(centres.standardised_difference) desc, centres.feature
        ) as integer) as difference_rank
    from shares
    inner join centres on shares.segment = centres.segment
    inner join scales on centres.feature = scales.feature
    inner join features on centres.feature = features.feature

),

told as (

    select
        ranked.*,
        case
            when ranked.standardised_difference >= limits.minimum_deviation then ranked.above
            when ranked.standardised_difference <= -limits.minimum_deviation then ranked.below
        end as words
    from ranked
    cross join limits

),

-- The three greatest differences in one sentence.
sentences as (

    select
        segment,
        coalesce(
            max(case when difference_rank = 1 then words end)
            || coalesce('; ' || max(case when difference_rank = 2 then words end), '')
            || coalesce('; ' || max(case when difference_rank = 3 then words end), ''),
            'much like the typical customer'
        ) as description
    from told
    group by segment

),

final as (

    select
        told.fitted_as_of_date,
        told.segment,
        told.feature,
        told.label,
        sentences.description,
        told.customer_share,
        told.rows_fitted,
        case told.feature
            {%- for feature in features %}
            when '{{ feature }}' then {{ rounded(behaviour_figure_of(feature, 'told.cluster_measure')) }}
            {%- endfor %}
        end as cluster_centre,
        case told.feature
            {%- for feature in features %}
            when '{{ feature }}' then {{ rounded(behaviour_figure_of(feature, 'told.population_measure')) }}
            {%- endfor %}
        end as population_median,
        told.standardised_difference,
        told.difference_rank,
        told.words
    from told
    inner join sentences on told.segment = sentences.segment

)

select * from final
