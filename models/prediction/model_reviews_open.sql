with fits as (

    select * from {{ ref('stg_model_fits') }}
    where
        fitted_as_of_date <= {{ fit_day() }}
        and fitted_with in {{ settings_in_force() }}

),

in_force as (

    select * from {{ ref('model_fits_in_force') }}

),

validations as (

    select * from {{ ref('model_validations_in_force') }}

),

cluster_parameters as (

    select * from {{ ref('behaviour_cluster_parameters') }}

),

cluster_names as (

    select * from {{ ref('behaviour_cluster_names') }}

),

reasons as (

    select * from {{ ref('model_review_reasons') }}

),

limits as (

    select
        {{ threshold('model_review_total_error') }} as total_error,
        {{ threshold('model_review_frequency_error') }} as frequency_error,
        {{ threshold('model_review_weekly_error') }} as weekly_error,
        {{ threshold('behaviour_cluster_minimum_agreement') }} as minimum_agreement

),

-- The fits that failed since the last good one: the latest says why, the earliest since when.
failed as (

    select
        fits.model,
        min(fits.fitted_as_of_date) as since,
        max(fits.fitted_as_of_date) as latest
    from fits
    left join in_force on fits.model = in_force.model
    where
        not fits.converged
        and (in_force.model is null or fits.fitted_as_of_date > in_force.fitted_as_of_date)
    group by fits.model

),

failures as (

    select
        fits.model,
        fits.reason,
        failed.since,
        cast(fits.rows_fitted as double) as observed,
        cast(null as double) as at_most
    from failed
    inner join fits on failed.model = fits.model and failed.latest = fits.fitted_as_of_date

),

not_validated as (

    select
        in_force.model,
        'not_validated' as reason,
        in_force.fitted_as_of_date as since,
        cast(null as double) as observed,
        cast(null as double) as at_most
    from in_force
    left join validations on in_force.model = validations.model and validations.measure = 'total'
    where
        in_force.model in ('bg_nbd', 'pareto_nbd')
        and validations.model is null

),

-- Purchases up to each week of the holdout.
weeks as (

    select
        model,
        sum(observed) over (partition by model order by position) as observed,
        sum(predicted) over (partition by model order by position) as predicted
    from validations
    where
        measure = 'week'
        and is_holdout

),

errors as (

    select
        validations.model,
        case when validations.measure = 'total' then 'total_off' else 'frequency_off' end as reason,
        max(validations.fitted_as_of_date) as since,
        {{ ratio('sum(abs(validations.predicted - validations.observed))', 'sum(validations.observed)') }} as observed,
        cast(max(case when validations.measure = 'total' then limits.total_error else limits.frequency_error end) as double) as at_most
    from validations
    cross join limits
    where validations.measure in ('total', 'frequency')
    group by validations.model, validations.measure
    union all
    select
        weeks.model,
        'weeks_off' as reason,
        max(in_force.fitted_as_of_date) as since,
        avg({{ ratio('abs(weeks.predicted - weeks.observed)', 'weeks.observed') }}) as observed,
        cast(max(limits.weekly_error) as double) as at_most
    from weeks
    inner join in_force on weeks.model = in_force.model
    cross join limits
    group by weeks.model

),

-- What resamples do not agree on; and clusters that no plain name describes.
clusters as (

    select
        'behaviour_cluster' as model, -- noqa: RF04
        'clusters_disagree' as reason,
        figures.fitted_as_of_date as since,
        1 - figures.value as observed,
        cast(1 - limits.minimum_agreement as double) as at_most
    from cluster_parameters as figures
    cross join limits
    where
        figures.kind = 'fit'
        and figures.figure = 'agreement'
    union all
    select
        'behaviour_cluster' as model, -- noqa: RF04
        'clusters_without_a_name' as reason,
        max(figures.fitted_as_of_date) as since,
        cast(count(*) as double) as observed,
        cast(0 as double) as at_most
    from cluster_parameters as figures
    inner join cluster_names as catalogue on figures.name = catalogue.segment
    where
        figures.kind = 'cluster'
        and figures.figure = 'share'
        and catalogue.kind = 'numbered'

),

opened as (

    select * from failures
    union all
    select * from not_validated
    union all
    select * from errors
    where observed > at_most or observed is null
    union all
    select * from clusters
    where observed > at_most

),

final as (

    select
        {{ as_of_date() }} as as_of_date,
        opened.model,
        opened.reason,
        opened.since,
        opened.observed,
        opened.at_most,
        in_force.fitted_as_of_date as parameters_of,
        reasons.meaning,
        reasons.what_to_do,
        reasons.owner
    from opened
    left join in_force on opened.model = in_force.model
    left join reasons on opened.reason = reasons.reason

)

select * from final
