-- From where to where customers moved, by day, week, month and quarter. Only the last periods are told (thresholds migration_…s), so that a
-- night does not cost more the older the company gets.
with reach as (

    select
        {{ migration_reach_start('day', threshold('migration_days')) }} as day_reach,
        {{ migration_reach_start('week', threshold('migration_weeks')) }} as week_reach,
        {{ migration_reach_start('month', threshold('migration_months')) }} as month_reach,
        {{ migration_reach_start('quarter', threshold('migration_quarters')) }} as quarter_reach

),

changes as (

    select
        recorded.customer_id,
        recorded.segmentation,
        recorded.as_of_date,
        coalesce(recorded.segment_before, 'not_a_customer') as segment_before,
        coalesce(recorded.segment_after, 'not_a_customer') as segment_after
    from {{ ref('segment_membership_changes') }} as recorded
    cross join reach
    where
        recorded.customer_id is not null
        and recorded.as_of_date <= {{ as_of_date() }}
        and recorded.as_of_date >= least(reach.day_reach, reach.week_reach, reach.month_reach, reach.quarter_reach)

),

revenues as (

    select
        customer_id,
        net_amount_365d
    from {{ ref('customer_order_features') }}

),

-- Who has withdrawn the permission for special-category data is in none of its groups for any reader, in the past neither: as in
-- segment_membership_history, the last segment decides, that of a customer who is gone included.
by_permission as (

    select distinct segmentation
    from changes
    where 'not_permitted' in (segment_before, segment_after)

),

withdrawn as (

    select
        changes.customer_id,
        changes.segmentation
    from changes
    inner join by_permission on changes.segmentation = by_permission.segmentation
    group by changes.customer_id, changes.segmentation
    having
        max_by(
            case when changes.segment_after = 'not_a_customer' then changes.segment_before else changes.segment_after end,
            changes.as_of_date
        ) = 'not_permitted'

),

by_period as (

    {%- for period in migration_periods() %}
    select
        '{{ period }}' as period_type,
        {{ period_start(period, 'changes.as_of_date') }} as period_start,
        changes.customer_id,
        changes.segmentation,
        changes.as_of_date,
        changes.segment_before,
        changes.segment_after
    from changes
    cross join reach
    where changes.as_of_date >= reach.{{ period }}_reach
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

-- Where each customer was before the first change of the period, and after the last one.
moves as (

    select
        period_type,
        period_start,
        customer_id,
        segmentation,
        min_by(segment_before, as_of_date) as from_segment,
        max_by(segment_after, as_of_date) as to_segment
    from by_period
    group by period_type, period_start, customer_id, segmentation

),

told as (

    select
        moves.period_type,
        moves.period_start,
        moves.customer_id,
        moves.segmentation,
        case
            when withdrawn.customer_id is not null and moves.from_segment <> 'not_a_customer' then 'not_permitted'
            else moves.from_segment
        end as from_segment,
        case
            when withdrawn.customer_id is not null and moves.to_segment <> 'not_a_customer' then 'not_permitted'
            else moves.to_segment
        end as to_segment
    from moves
    left join withdrawn
        on
            moves.customer_id = withdrawn.customer_id
            and moves.segmentation = withdrawn.segmentation

),

final as (

    select
        told.period_type,
        told.period_start,
        told.segmentation,
        told.from_segment,
        told.to_segment,
        count(*) as customers,
        cast(coalesce(sum(revenues.net_amount_365d), 0) as decimal(18, 2)) as revenue
    from told
    left join revenues on told.customer_id = revenues.customer_id
    where told.from_segment <> told.to_segment
    group by told.period_type, told.period_start, told.segmentation, told.from_segment, told.to_segment

)

select * from final
