-- Every segment of every recorded day with its figures, empty ones too: a segment that vanishes is news.
-- Segments named by the data (defined as `*`: categories, payment methods, …) have a row where they have customers.
{{ configure_history() }}
{{ config(pre_hook="{{ begin_recording() }}") }}

with current_segments as (

    select * from {{ ref('current_segments') }}

),

periods as (

    select * from {{ ref('customer_period_features') }}

),

definitions as (

    select
        segmentation,
        segment
    from {{ ref('segment_definitions') }}
    where segment <> '*'

),

members as (

    select
        current_segments.*,
        periods.orders,
        periods.orders_before,
        periods.net_amount,
        periods.gross_amount,
        periods.promoted_amount,
        periods.costed_amount,
        periods.cost_amount,
        periods.contacts,
        periods.is_responding,
        periods.is_converted,
        periods.campaign_cost,
        periods.campaign_revenue,
        periods.satisfaction_sum,
        periods.satisfaction_answers,
        periods.points_redeemed
    from current_segments
    inner join periods on current_segments.customer_id = periods.customer_id

),

-- One pass over the customers for all segmentations, instead of one join for each.
summed as (

    select
        case
            {%- for segmentation in segmentations() %}
            when grouping({{ segmentation }}_segment) = 0 then '{{ segmentation }}'
            {%- endfor %}
        end as segmentation,
        coalesce(
            {%- for segmentation in segmentations() %}
            {{ segmentation }}_segment,
            {%- endfor %}
            null
        ) as segment,
        count(*) as customers,
        count(*) filter (where orders > 0) as active_customers,
        count(*) filter (where orders_before > 0) as active_before_customers,
        count(*) filter (where orders > 0 and orders_before > 0) as retained_customers,
        count(*) filter (where orders > 1) as repeat_customers,
        sum(orders) as orders,
        sum(net_amount) as revenue,
        sum(gross_amount) as gross_amount,
        sum(promoted_amount) as promoted_amount,
        sum(costed_amount) as costed_amount,
        sum(cost_amount) as cost_amount,
        count(*) filter (where contacts > 0) as contacted_customers,
        count(contacts) > 0 as knows_contacts,
        count(is_responding) as answerable_customers,
        count(*) filter (where is_responding) as responding_customers,
        count(*) filter (where is_converted) as converted_customers,
        sum(campaign_cost) as campaign_cost,
        sum(campaign_revenue) as campaign_revenue,
        sum(satisfaction_sum) as satisfaction_sum,
        sum(satisfaction_answers) as satisfaction_answers,
        sum(points_redeemed) as points_redeemed
    from members
    group by grouping sets ( -- noqa: PRS
        {%- for segmentation in segmentations() %}
        ({{ segmentation }}_segment){{ ',' if not loop.last }}
        {%- endfor %}
    )

),

totals as (

    select
        segmentation,
        sum(customers) as customers,
        sum(revenue) as revenue
    from summed
    group by segmentation

),

spine as (

    select
        segmentation,
        segment
    from definitions
    union
    select
        segmentation,
        segment
    from summed
    where segment is not null

),

final as (

    select
        {{ as_of_date() }} as as_of_date,
        spine.segmentation,
        spine.segment,

        coalesce(summed.customers, 0) as customers,
        coalesce({{ ratio('summed.customers', 'totals.customers') }}, 0) as share, -- noqa: RF04
        coalesce(summed.active_customers, 0) as active_customers,
        coalesce(summed.active_before_customers, 0) as active_before_customers,
        coalesce(summed.retained_customers, 0) as retained_customers,
        {{ ratio('summed.retained_customers', 'summed.active_before_customers') }} as retention_rate,
        {{ ratio('summed.repeat_customers', 'summed.active_customers') }} as repeat_purchase_rate,

        cast(coalesce(summed.orders, 0) as bigint) as orders,
        {{ ratio('summed.orders', 'summed.active_customers') }} as orders_per_customer,
        {{ mean_to_cents('summed.revenue', 'summed.orders') }} as average_order_value,
        cast(coalesce(summed.revenue, 0) as decimal(18, 2)) as revenue,
        coalesce({{ ratio('summed.revenue', 'totals.revenue') }}, 0) as revenue_share,
        cast(summed.costed_amount - summed.cost_amount as decimal(18, 2)) as margin,
        {{ ratio('summed.costed_amount - summed.cost_amount', 'summed.costed_amount') }} as margin_rate,
        {{ ratio('summed.promoted_amount', 'summed.gross_amount') }} as promotion_share,

        case when summed.knows_contacts then summed.contacted_customers end as contacted_customers,
        {{ ratio('summed.responding_customers', 'summed.answerable_customers') }} as campaign_response_rate,
        {{ ratio('summed.converted_customers', 'summed.answerable_customers') }} as campaign_conversion_rate,
        cast(summed.campaign_cost as decimal(18, 2)) as campaign_cost,
        cast(summed.campaign_revenue as decimal(18, 2)) as campaign_revenue,
        {{ ratio('coalesce(summed.campaign_revenue, 0) - summed.campaign_cost', 'summed.campaign_cost') }} as campaign_return,

        {{ ratio('summed.satisfaction_sum', 'summed.satisfaction_answers') }} as satisfaction,
        cast(summed.points_redeemed as decimal(18, 2)) as points_redeemed
    from spine
    left join summed
        on
            spine.segmentation = summed.segmentation
            and spine.segment = summed.segment
    left join totals on spine.segmentation = totals.segmentation

)

select * from final
