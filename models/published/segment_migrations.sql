-- From where to where customers moved, by day, week, month and quarter. Only the last periods are told (thresholds migration_…s), so that a
-- night does not cost more the older the company gets.
{{ config(materialized='table') }}

with reach as (

    select
        {{ migration_reach_start('day', threshold('migration_days')) }} as day_reach,
        {{ migration_reach_start('week', threshold('migration_weeks')) }} as week_reach,
        {{ migration_reach_start('month', threshold('migration_months')) }} as month_reach,
        {{ migration_reach_start('quarter', threshold('migration_quarters')) }} as quarter_reach

),

revenues as (

    select
        customer_id,
        net_amount_365d
    from {{ ref('customer_order_features') }}

),

-- A change that is the only one of its customer in the period is a move already, and most are.
moves_of_one_change as (

    {%- for period in migration_periods() %}
    select
        '{{ period }}' as period_type,
        {{ period_start(period, 'steps.as_of_date') }} as period_start,
        steps.segmentation,
        steps.is_withdrawn,
        coalesce(steps.segment_before, 'not_a_customer') as from_segment,
        coalesce(steps.segment_after, 'not_a_customer') as to_segment,
        count(*) as customers,
        sum(revenues.net_amount_365d) as revenue
    from {{ ref('segment_membership_steps') }} as steps
    cross join reach
    left join revenues on steps.customer_id = revenues.customer_id
    where
        steps.as_of_date >= reach.{{ period }}_reach
        and {{ is_only_change_of('steps', period) }}
    group by
        {{ period_start(period, 'steps.as_of_date') }},
        steps.segmentation,
        steps.is_withdrawn,
        steps.segment_before,
        steps.segment_after
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

-- Of the others: where each customer was before the first change of the period, and after the last one.
moves_of_more_changes as (

    {%- for period in migration_periods() %}
    select
        '{{ period }}' as period_type,
        {{ period_start(period, 'steps.as_of_date') }} as period_start,
        steps.customer_id,
        steps.segmentation,
        steps.is_withdrawn,
        min_by(coalesce(steps.segment_before, 'not_a_customer'), steps.as_of_date) as from_segment,
        max_by(coalesce(steps.segment_after, 'not_a_customer'), steps.as_of_date) as to_segment
    from {{ ref('segment_membership_steps') }} as steps
    cross join reach
    where
        steps.as_of_date >= reach.{{ period }}_reach
        and not {{ is_only_change_of('steps', period) }}
    group by
        {{ period_start(period, 'steps.as_of_date') }},
        steps.customer_id,
        steps.segmentation,
        steps.is_withdrawn
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

moves as (

    select
        period_type,
        period_start,
        segmentation,
        is_withdrawn,
        from_segment,
        to_segment,
        customers,
        revenue
    from moves_of_one_change
    union all
    select
        moves_of_more_changes.period_type,
        moves_of_more_changes.period_start,
        moves_of_more_changes.segmentation,
        moves_of_more_changes.is_withdrawn,
        moves_of_more_changes.from_segment,
        moves_of_more_changes.to_segment,
        count(*) as customers,
        sum(revenues.net_amount_365d) as revenue
    from moves_of_more_changes
    left join revenues on moves_of_more_changes.customer_id = revenues.customer_id
    group by
        moves_of_more_changes.period_type,
        moves_of_more_changes.period_start,
        moves_of_more_changes.segmentation,
        moves_of_more_changes.is_withdrawn,
        moves_of_more_changes.from_segment,
        moves_of_more_changes.to_segment

),

-- Who has withdrawn the permission for special-category data is in none of its groups for any reader, in the past neither.
told as (

    select
        period_type,
        period_start,
        segmentation,
        case when is_withdrawn and from_segment <> 'not_a_customer' then 'not_permitted' else from_segment end as from_segment,
        case when is_withdrawn and to_segment <> 'not_a_customer' then 'not_permitted' else to_segment end as to_segment,
        customers,
        revenue
    from moves

),

final as (

    select
        period_type,
        period_start,
        segmentation,
        from_segment,
        to_segment,
        cast(sum(customers) as bigint) as customers,
        cast(coalesce(sum(revenue), 0) as decimal(18, 2)) as revenue
    from told
    where from_segment <> to_segment
    group by period_type, period_start, segmentation, from_segment, to_segment

)

select * from final
