-- From where to where customers moved, by day, week, month and quarter. Only the last periods are told (thresholds migration_…s), so that a
-- night does not cost more the older the company gets. Whoever was there on the first recorded day of a segmentation has not moved on it.
{{ config(materialized='table') }}

{%- set reaches = [] %}
{%- for period in migration_periods() %}
{%- do reaches.append(migration_reach_start(period, threshold('migration_' ~ period ~ 's'))) %}
{%- endfor %}

with first_days as (

    select
        segmentation,
        min(as_of_date) as recorded_from
    from {{ ref('segment_flows') }}
    where segmentation in ({{ segmentation_names() }})
    group by segmentation

),

reach as (

    select
        {%- for period in migration_periods() %}
        {{ reaches[loop.index0] }} as {{ period }}_reach,
        {%- endfor %}
        least({{ reaches | join(', ') }}) as earliest_reach

),

revenues as (

    select
        customer_id,
        net_amount_365d
    from {{ ref('customer_order_features') }}

),

withdrawn_memberships as (

    select * from {{ ref('withdrawn_memberships') }}

),

changes as (

    select
        changes.as_of_date,
        changes.customer_id,
        changes.segmentation,
        coalesce(changes.segment_before, 'not_a_customer') as segment_before,
        changes.segment_before_since,
        coalesce(changes.segment_after, 'not_a_customer') as segment_after,
        withdrawn_memberships.customer_id is not null as is_withdrawn,
        revenues.net_amount_365d as revenue
    from {{ ref('segment_membership_changes') }} as changes
    inner join first_days
        on
            changes.segmentation = first_days.segmentation
            and changes.as_of_date > first_days.recorded_from
    cross join reach
    left join revenues on changes.customer_id = revenues.customer_id
    left join withdrawn_memberships
        on
            changes.customer_id = withdrawn_memberships.customer_id
            and changes.segmentation = withdrawn_memberships.segmentation
    where
        changes.customer_id is not null
        and changes.as_of_date <= {{ as_of_date() }}
        and changes.as_of_date >= reach.earliest_reach

),

-- In a period longer than a day a membership may change more than once: those that changed in it before, and those that ended in it and
-- perhaps began again. For all others the change is the move.
{%- for period in migration_periods() if period != 'day' %}
{{ period }}_repeated as (

    select distinct
        {{ period_start(period, 'changes.as_of_date') }} as period_start,
        changes.customer_id,
        changes.segmentation
    from changes
    cross join reach
    where
        changes.as_of_date >= reach.{{ period }}_reach
        and (changes.segment_before_since >= {{ period_start(period, 'changes.as_of_date') }} or changes.segment_after = 'not_a_customer')

),

{{ period }}_changes as (

    select
        changes.*,
        {{ period_start(period, 'changes.as_of_date') }} as period_start,
        repeated.customer_id is not null as is_repeated
    from changes
    inner join reach on changes.as_of_date >= reach.{{ period }}_reach
    left join {{ period }}_repeated as repeated
        on
            {{ period_start(period, 'changes.as_of_date') }} = repeated.period_start
            and changes.customer_id = repeated.customer_id
            and changes.segmentation = repeated.segmentation

),

-- Where each of them was before the first change of the period, and after the last one.
{{ period }}_moves as (

    select
        period_start,
        segmentation,
        is_withdrawn,
        segment_before,
        segment_after,
        revenue
    from {{ period }}_changes
    where not is_repeated
    union all
    select
        period_start,
        segmentation,
        is_withdrawn,
        min_by(segment_before, as_of_date) as segment_before,
        max_by(segment_after, as_of_date) as segment_after,
        revenue
    from {{ period }}_changes
    where is_repeated
    group by period_start, customer_id, segmentation, is_withdrawn, revenue

),
{% endfor %}
day_moves as (

    select
        changes.as_of_date as period_start,
        changes.segmentation,
        changes.is_withdrawn,
        changes.segment_before,
        changes.segment_after,
        changes.revenue
    from changes
    inner join reach on changes.as_of_date >= reach.day_reach

),

-- Who has withdrawn the permission for special-category data is in none of its groups for any reader, in the past neither.
told as (

    {%- for period in migration_periods() %}
    select
        '{{ period }}' as period_type,
        period_start,
        segmentation,
        case when is_withdrawn and segment_before <> 'not_a_customer' then 'not_permitted' else segment_before end as from_segment,
        case when is_withdrawn and segment_after <> 'not_a_customer' then 'not_permitted' else segment_after end as to_segment,
        revenue
    from {{ period }}_moves
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

final as (

    select
        period_type,
        period_start,
        segmentation,
        from_segment,
        to_segment,
        count(*) as customers,
        cast(coalesce(sum(revenue), 0) as decimal(18, 2)) as revenue
    from told
    where from_segment <> to_segment
    group by period_type, period_start, segmentation, from_segment, to_segment

)

select * from final
