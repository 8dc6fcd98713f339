-- What KPIs are made of. The period is the last kpi_period_days, half open; "before" is the period just before it.
-- A figure that the source cannot know (no costs, no contacts, no points) is null and not zero: zero would be a finding.
with customers as (

    select * from {{ ref('int_customers') }}

),

orders as (

    select * from {{ ref('int_orders') }}

),

campaigns as (

    select * from {{ ref('stg_campaigns') }}

),

contacts as (

    select * from {{ ref('stg_campaign_contacts') }}
    where sent_date < {{ as_of_date() }}

),

redemptions as (

    select * from {{ ref('stg_coupon_redemptions') }}
    where redeemed_date < {{ as_of_date() }}

),

tickets as (

    select * from {{ ref('stg_support_tickets') }}
    where opened_date < {{ as_of_date() }}

),

ledger as (

    select * from {{ ref('stg_loyalty_ledger') }}
    where occurred_date < {{ as_of_date() }}

),

limits as (

    select cast({{ threshold('kpi_period_days') }} as integer) as period_days

),

periods as (

    select
        {{ days_before(as_of_date(), 'period_days') }} as period_start,
        {{ days_before(as_of_date(), '2 * period_days') }} as before_start
    from limits

),

-- What this source records at all, ever up to the day described.
known_from_orders as (

    select count(*) > 0 as knows_promotions
    from orders
    where
        promoted_amount > 0
        or is_promoted

),

known_from_contacts as (

    select
        count(*) > 0 as knows_contacts,
        count(*) filter (where clicked_at is not null or converted_order_id is not null) > 0 as knows_answers
    from contacts

),

known_from_redemptions as (

    select count(*) > 0 as knows_redemptions
    from redemptions

),

known_from_ledger as (

    select count(*) > 0 as knows_points
    from ledger

),

known as (

    select
        known_from_orders.knows_promotions,
        known_from_contacts.knows_contacts,
        known_from_contacts.knows_answers or known_from_redemptions.knows_redemptions as knows_responses,
        known_from_ledger.knows_points
    from known_from_orders
    cross join known_from_contacts
    cross join known_from_redemptions
    cross join known_from_ledger

),

order_facts as (

    select
        orders.customer_id,
        count(*) filter (where orders.is_purchase and orders.order_date >= periods.period_start) as orders,
        count(*) filter (where orders.is_purchase and orders.order_date < periods.period_start) as orders_before,
        sum(case when orders.order_date >= periods.period_start then orders.net_amount else 0 end) as net_amount,
        sum(case when orders.order_date >= periods.period_start then orders.gross_amount else 0 end) as gross_amount,
        sum(case when orders.order_date >= periods.period_start then orders.promoted_amount else 0 end) as promoted_amount,
        sum(case when orders.order_date >= periods.period_start then orders.cost_amount end) as cost_amount,
        sum(
            case when orders.order_date >= periods.period_start and orders.cost_amount is not null then orders.costed_amount end
        ) as costed_amount
    from orders
    cross join periods
    where orders.order_date >= periods.before_start
    group by orders.customer_id

),

-- The cost of a campaign is shared by its contacts, in whole ten-thousandths so that sums are exact.
campaign_costs as (

    select
        campaigns.campaign_id,
        cast(cast(floor({{ ratio('campaigns.cost_amount * 10000', 'count(*)') }}) as bigint) * 0.0001 as decimal(18, 4)) as cost_per_contact
    from campaigns
    inner join contacts on campaigns.campaign_id = contacts.campaign_id
    group by campaigns.campaign_id, campaigns.cost_amount

),

contacts_of_period as (

    select contacts.*
    from contacts
    cross join periods
    where contacts.sent_date >= periods.period_start

),

-- A coupon of the campaign used on the day of the contact or later answers it.
redeemed_contacts as (

    select
        contacts_of_period.contact_id,
        redemptions.customer_id,
        redemptions.order_id
    from contacts_of_period
    inner join redemptions
        on
            contacts_of_period.customer_id = redemptions.customer_id
            and contacts_of_period.campaign_id = redemptions.campaign_id
    where redemptions.redeemed_date >= contacts_of_period.sent_date

),

-- An order counts once, however many contacts led to it.
campaign_orders as (

    select
        customer_id,
        converted_order_id as order_id
    from contacts_of_period
    where converted_order_id is not null
    union
    select
        customer_id,
        order_id
    from redeemed_contacts
    where order_id is not null

),

attributed as (

    select
        orders.customer_id,
        orders.order_id,
        orders.net_amount
    from orders
    inner join campaign_orders
        on
            orders.order_id = campaign_orders.order_id
            and orders.customer_id = campaign_orders.customer_id
    where orders.is_purchase

),

campaign_revenue as (

    select
        customer_id,
        sum(net_amount) as campaign_revenue
    from attributed
    group by customer_id

),

redeemed as (

    select distinct contact_id
    from redeemed_contacts

),

answered_contacts as (

    select
        contacts_of_period.contact_id,
        contacts_of_period.customer_id,
        campaign_costs.cost_per_contact,
        attributed.order_id is not null or redeemed.contact_id is not null as is_converted,
        coalesce(contacts_of_period.clicked_date < {{ as_of_date() }}, false) as is_clicked
    from contacts_of_period
    left join campaign_costs on contacts_of_period.campaign_id = campaign_costs.campaign_id
    left join attributed
        on
            contacts_of_period.converted_order_id = attributed.order_id
            and contacts_of_period.customer_id = attributed.customer_id
    left join redeemed on contacts_of_period.contact_id = redeemed.contact_id

),

contact_facts as (

    select
        customer_id,
        count(*) as contacts,
        bool_or(is_converted or is_clicked) as is_responding,
        bool_or(is_converted) as is_converted,
        sum(cost_per_contact) as campaign_cost
    from answered_contacts
    group by customer_id

),

ticket_facts as (

    select
        tickets.customer_id,
        sum(tickets.satisfaction_score) as satisfaction_sum,
        count(tickets.satisfaction_score) as satisfaction_answers
    from tickets
    cross join periods
    where tickets.opened_date >= periods.period_start
    group by tickets.customer_id

),

point_facts as (

    select
        ledger.customer_id,
        sum(abs(ledger.points)) as points_redeemed
    from ledger
    cross join periods
    where
        ledger.entry_type = 'redeem'
        and ledger.occurred_date >= periods.period_start
    group by ledger.customer_id

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,
        periods.period_start,

        coalesce(order_facts.orders, 0) as orders,
        coalesce(order_facts.orders_before, 0) as orders_before,
        cast(coalesce(order_facts.net_amount, 0) as decimal(18, 2)) as net_amount,
        cast(coalesce(order_facts.gross_amount, 0) as decimal(18, 2)) as gross_amount,
        case when known.knows_promotions then cast(coalesce(order_facts.promoted_amount, 0) as decimal(18, 2)) end as promoted_amount,
        cast(order_facts.cost_amount as decimal(18, 2)) as cost_amount,
        cast(order_facts.costed_amount as decimal(18, 2)) as costed_amount,

        case when known.knows_contacts then coalesce(contact_facts.contacts, 0) end as contacts,
        case when known.knows_responses and contact_facts.contacts > 0 then contact_facts.is_responding end as is_responding,
        case when known.knows_responses and contact_facts.contacts > 0 then contact_facts.is_converted end as is_converted,
        cast(contact_facts.campaign_cost as decimal(18, 4)) as campaign_cost,
        cast(campaign_revenue.campaign_revenue as decimal(18, 2)) as campaign_revenue,

        cast(ticket_facts.satisfaction_sum as decimal(18, 2)) as satisfaction_sum,
        coalesce(ticket_facts.satisfaction_answers, 0) as satisfaction_answers,
        case when known.knows_points then cast(coalesce(point_facts.points_redeemed, 0) as decimal(18, 2)) end as points_redeemed
    from customers
    cross join periods
    cross join known
    left join order_facts on customers.customer_id = order_facts.customer_id
    left join contact_facts on customers.customer_id = contact_facts.customer_id
    left join campaign_revenue on customers.customer_id = campaign_revenue.customer_id
    left join ticket_facts on customers.customer_id = ticket_facts.customer_id
    left join point_facts on customers.customer_id = point_facts.customer_id

)

select * from final
