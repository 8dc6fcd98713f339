-- What KPIs are made of. The period is the last kpi_period_days, half open; "before" is the period just before it.
-- A figure that the source cannot know (no costs, no contacts, no points) is null and not zero: zero would be a finding.
with customers as (

    select * from {{ ref('int_customers') }}

),

order_totals as {{ inlined() }} (

    select * from {{ ref('int_customer_order_totals') }}

),

customer_campaigns as {{ inlined() }} (

    select * from {{ ref('int_customer_campaigns') }}

),

programme as {{ inlined() }} (

    select * from {{ ref('int_customer_programme') }}

),

support as (

    select * from {{ ref('int_customer_support') }}

),

campaigns as (

    select * from {{ ref('stg_campaigns') }}

),

contacts as {{ inlined() }} (

    select * from {{ ref('stg_campaign_contacts') }}
    where sent_date < {{ as_of_date() }}

),

redemptions as {{ inlined() }} (

    select * from {{ ref('stg_coupon_redemptions') }}
    where redeemed_date < {{ as_of_date() }}

),

limits as (

    select cast({{ threshold('kpi_period_days') }} as integer) as period_days

),

periods as (

    select {{ days_before(as_of_date(), 'period_days') }} as period_start
    from limits

),

-- What this source records at all, ever up to the day described. Of events one is enough to know.
known as (

    select
        {{ is_any('order_totals', 'has_promotion') }} as knows_promotions,
        {{ is_any('contacts') }} as knows_contacts,
        {{ is_any('contacts', 'clicked_at is not null or converted_order_id is not null') }}
        or {{ is_any('redemptions') }} as knows_responses,
        {{ is_any('programme') }} as knows_points

),

-- The cost of a campaign is shared by its contacts, as a decimal so that sums are exact; of so many digits that a million contacts still
-- add up to what a cheap campaign cost.
campaign_costs as (

    select
        campaigns.campaign_id,
        cast(
            cast(round({{ ratio('campaigns.cost_amount * 100000000', 'count(*)') }}) as bigint) * 0.00000001 as decimal(18, 8)
        ) as cost_per_contact
    from campaigns
    inner join contacts on campaigns.campaign_id = contacts.campaign_id
    where campaigns.campaign_id in (select customer_campaigns.campaign_id from customer_campaigns)
    group by campaigns.campaign_id, campaigns.cost_amount

),

contact_facts as (

    select
        customer_campaigns.customer_id,
        cast(sum(customer_campaigns.contacts) as bigint) as contacts,
        bool_or(customer_campaigns.is_responding) as is_responding,
        bool_or(customer_campaigns.is_converted) as is_converted,
        sum(customer_campaigns.contacts * campaign_costs.cost_per_contact) as campaign_cost,
        sum(customer_campaigns.campaign_revenue) as campaign_revenue
    from customer_campaigns
    left join campaign_costs on customer_campaigns.campaign_id = campaign_costs.campaign_id
    group by customer_campaigns.customer_id

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,
        periods.period_start,

        coalesce(order_totals.period_orders, 0) as orders,
        coalesce(order_totals.before_orders, 0) as orders_before,
        cast(coalesce(order_totals.period_net_amount, 0) as decimal(18, 2)) as net_amount,
        cast(coalesce(order_totals.period_gross_amount, 0) as decimal(18, 2)) as gross_amount,
        case
            when known.knows_promotions then cast(coalesce(order_totals.period_promoted_amount, 0) as decimal(18, 2))
        end as promoted_amount,
        order_totals.period_cost_amount as cost_amount,
        order_totals.period_costed_amount as costed_amount,

        case when known.knows_contacts then coalesce(contact_facts.contacts, 0) end as contacts,
        case when known.knows_responses and contact_facts.contacts > 0 then contact_facts.is_responding end as is_responding,
        case when known.knows_responses and contact_facts.contacts > 0 then contact_facts.is_converted end as is_converted,
        cast(contact_facts.campaign_cost as decimal(18, 8)) as campaign_cost,
        cast(contact_facts.campaign_revenue as decimal(18, 2)) as campaign_revenue,

        support.period_satisfaction_sum as satisfaction_sum,
        coalesce(support.period_satisfaction_answers, 0) as satisfaction_answers,
        case when known.knows_points then cast(coalesce(programme.period_points_redeemed, 0) as decimal(18, 2)) end as points_redeemed
    from customers
    cross join periods
    cross join known
    left join order_totals on customers.customer_id = order_totals.customer_id
    left join contact_facts on customers.customer_id = contact_facts.customer_id
    left join support on customers.customer_id = support.customer_id
    left join programme on customers.customer_id = programme.customer_id

)

select * from final
