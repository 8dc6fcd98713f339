-- Why: moves and sizes are read side by side. Of every period told and every segment, what moved in less what moved out must be the
-- customers at the end of the period less those before it: on its last recorded day, and on the last one before it.
-- Left out are segmentations with a permission to withdraw: who has withdrawn it has not moved for any reader, but is counted where
-- they were; and segmentations that are no more.
{%- set reaches = {
    'day': threshold('migration_days'),
    'week': threshold('migration_weeks'),
    'month': threshold('migration_months'),
    'quarter': threshold('migration_quarters'),
} %}

with by_permission as (

    select segmentation from {{ ref('segment_definitions') }}
    where segment = 'not_permitted'

),

sizes as (

    select
        all_sizes.as_of_date,
        all_sizes.segmentation,
        all_sizes.segment,
        all_sizes.customers
    from {{ ref('segment_sizes') }} as all_sizes
    left join by_permission on all_sizes.segmentation = by_permission.segmentation
    where
        by_permission.segmentation is null
        and all_sizes.segmentation in ({{ segmentation_names() }})

),

migrations as (

    select all_migrations.*
    from {{ ref('segment_migrations') }} as all_migrations
    left join by_permission on all_migrations.segmentation = by_permission.segmentation
    where by_permission.segmentation is null

),

recorded as (

    select distinct
        as_of_date,
        segmentation
    from sizes

),

periods as (

    {%- for period in migration_periods() %}
    select
        '{{ period }}' as period_type,
        {{ period_start(period, 'as_of_date') }} as period_start,
        max(as_of_date) as last_day
    from sizes
    where {{ period_start(period, 'as_of_date') }} >= {{ migration_reach_start(period, reaches[period]) }}
    group by {{ period_start(period, 'as_of_date') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

days_before as (

    select
        periods.period_type,
        periods.period_start,
        periods.last_day,
        recorded.segmentation,
        -- Before the first recorded day of a segmentation nobody was anywhere: moves are told from there on.
        coalesce(
            max(case when recorded.as_of_date < periods.period_start then recorded.as_of_date end),
            min(recorded.as_of_date)
        ) as day_before
    from periods
    cross join recorded
    group by periods.period_type, periods.period_start, periods.last_day, recorded.segmentation
    having min(recorded.as_of_date) <= periods.last_day

),

-- Customers who are more at the end than before, counted once for each segment; what moved out and in, as numbers below and above zero.
flows as (

    select
        days_before.period_type,
        days_before.period_start,
        sizes.segmentation,
        sizes.segment,
        sizes.customers as grown,
        0 as moved
    from days_before
    inner join sizes
        on
            days_before.last_day = sizes.as_of_date
            and days_before.segmentation = sizes.segmentation
    union all
    select
        days_before.period_type,
        days_before.period_start,
        sizes.segmentation,
        sizes.segment,
        -sizes.customers as grown,
        0 as moved
    from days_before
    inner join sizes
        on
            days_before.day_before = sizes.as_of_date
            and days_before.segmentation = sizes.segmentation
    union all
    select
        period_type,
        period_start,
        segmentation,
        to_segment as segment,
        0 as grown,
        customers as moved
    from migrations
    union all
    select
        period_type,
        period_start,
        segmentation,
        from_segment as segment,
        0 as grown,
        -customers as moved
    from migrations

)

select
    period_type,
    period_start,
    segmentation,
    segment,
    sum(grown) as grown,
    sum(moved) as moved
from flows
where segment <> 'not_a_customer'
group by period_type, period_start, segmentation, segment
having sum(grown) <> sum(moved)
