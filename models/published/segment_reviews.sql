-- Which segments somebody has to look at, and why. The base of every comparison is the day of the segment's last review: the recorded day
-- on it or the last one before it; where recording began later, the first recorded day.
with days as (

    select * from {{ ref('segment_days') }}
    where as_of_date <= {{ as_of_date() }}

),

definitions as (

    select * from {{ ref('published_segment_definitions') }}

),

review_kpis as (

    select * from {{ ref('review_kpis') }}

),

limits as (

    select
        cast({{ threshold('review_drift_limit') }} as double) as drift_limit,
        cast({{ threshold('review_share_floor') }} as double) as share_floor,
        cast({{ threshold('review_minimum_customers') }} as double) as minimum_customers,
        cast({{ threshold('review_kpi_minimum_days') }} as integer) as kpi_minimum_days

),

recorded as (

    select
        segmentation,
        as_of_date,
        sum(customers) as customers
    from days
    group by segmentation, as_of_date

),

bases as (

    select
        definitions.segmentation,
        definitions.segment,
        coalesce(
            max(case when recorded.as_of_date <= definitions.last_reviewed then recorded.as_of_date end),
            min(recorded.as_of_date)
        ) as base_date
    from definitions
    inner join recorded on definitions.segmentation = recorded.segmentation
    group by definitions.segmentation, definitions.segment

),

base_dates as (

    select distinct
        segmentation,
        base_date
    from bases

),

-- A segment named by the data has no row on a day on which it was empty.
shares as (

    select
        base_dates.segmentation,
        base_dates.base_date,
        definitions.segment,
        coalesce(today.share, 0) as share, -- noqa: RF04
        coalesce(base.share, 0) as base_share
    from base_dates
    inner join definitions on base_dates.segmentation = definitions.segmentation
    left join days as today
        on
            definitions.segmentation = today.segmentation
            and definitions.segment = today.segment
            and today.as_of_date = {{ as_of_date() }}
    left join days as base
        on
            definitions.segmentation = base.segmentation
            and definitions.segment = base.segment
            and base_dates.base_date = base.as_of_date

),

drifts as (

    select
        shares.segmentation,
        shares.base_date,
        shares.segment,
        shares.share,
        shares.base_share,
        (greatest(shares.share, limits.share_floor) - greatest(shares.base_share, limits.share_floor))
        * ln(greatest(shares.share, limits.share_floor) / greatest(shares.base_share, limits.share_floor)) as drift
    from shares
    cross join limits

),

indexes as (

    select
        segmentation,
        base_date,
        sum(drift) as population_stability_index,
        sum(drift) / count(*) as mean_drift
    from drifts
    group by segmentation, base_date

),

named_kpis as (

    select
        definitions.segmentation,
        definitions.segment,
        coalesce(own.kpi, general.kpi) as kpi
    from definitions
    inner join review_kpis as general on general.segmentation = '*'
    left join review_kpis as own on definitions.segmentation = own.segmentation

),

figures as (

    select
        named_kpis.segmentation,
        named_kpis.segment,
        named_kpis.kpi,
        days.as_of_date,
        case named_kpis.kpi
            {%- for kpi in review_kpis() %}
            when '{{ kpi }}' then cast(days.{{ kpi }} as double)
            {%- endfor %}
        end as kpi_value
    from named_kpis
    inner join days
        on
            named_kpis.segmentation = days.segmentation
            and named_kpis.segment = days.segment

),

judged as (

    select
        definitions.segmentation,
        definitions.segment,
        definitions.owner,
        definitions.last_reviewed,
        definitions.next_review,
        bases.base_date,
        coalesce(today.customers, 0) as customers,
        drifts.share,
        definitions.expected_share_min,
        definitions.expected_share_max,
        drifts.base_share,
        drifts.drift,
        indexes.population_stability_index,
        named_kpis.kpi,
        today_figures.kpi_value,
        base_figures.kpi_value as base_kpi_value,
        -- The segments that move the index more than the mean segment does: a drifting segmentation is no reason to look at all of them.
        least(population.customers, base_population.customers) >= limits.minimum_customers
        and indexes.population_stability_index >= limits.drift_limit
        and drifts.drift > indexes.mean_drift as is_drifting,
        population.customers >= limits.minimum_customers
        and not drifts.share between definitions.expected_share_min and definitions.expected_share_max as is_out_of_range,
        coalesce(
            bases.base_date <= {{ days_before(as_of_date(), 'limits.kpi_minimum_days') }}
            and today_figures.kpi_value <= base_figures.kpi_value,
            false
        ) as is_kpi_stalled,
        definitions.next_review < {{ as_of_date() }} as is_overdue
    from definitions
    cross join limits
    inner join bases
        on
            definitions.segmentation = bases.segmentation
            and definitions.segment = bases.segment
    inner join drifts
        on
            bases.segmentation = drifts.segmentation
            and bases.segment = drifts.segment
            and bases.base_date = drifts.base_date
    inner join indexes
        on
            bases.segmentation = indexes.segmentation
            and bases.base_date = indexes.base_date
    inner join named_kpis
        on
            definitions.segmentation = named_kpis.segmentation
            and definitions.segment = named_kpis.segment
    inner join recorded as base_population
        on
            bases.segmentation = base_population.segmentation
            and bases.base_date = base_population.as_of_date
    inner join recorded as population
        on
            definitions.segmentation = population.segmentation
            and population.as_of_date = {{ as_of_date() }}
    left join days as today
        on
            definitions.segmentation = today.segmentation
            and definitions.segment = today.segment
            and today.as_of_date = {{ as_of_date() }}
    left join figures as today_figures
        on
            definitions.segmentation = today_figures.segmentation
            and definitions.segment = today_figures.segment
            and today_figures.as_of_date = {{ as_of_date() }}
    left join figures as base_figures
        on
            bases.segmentation = base_figures.segmentation
            and bases.segment = base_figures.segment
            and bases.base_date = base_figures.as_of_date

),

final as (

    select
        {{ as_of_date() }} as as_of_date,
        segmentation,
        segment,
        is_drifting or is_out_of_range or is_kpi_stalled or is_overdue as is_due,
        is_drifting,
        is_out_of_range,
        is_kpi_stalled,
        is_overdue,
        owner,
        last_reviewed,
        next_review,
        cast(customers as bigint) as customers,
        share,
        expected_share_min,
        expected_share_max,
        base_date,
        base_share,
        drift,
        population_stability_index,
        kpi,
        kpi_value,
        base_kpi_value
    from judged

)

select * from final
