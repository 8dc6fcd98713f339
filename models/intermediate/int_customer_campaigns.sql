-- What a campaign's message costs depends on how many were sent to everybody, so costs are not in here.
{{ config_roll_up() }}

with orders as (

    select
        order_id,
        customer_id,
        net_amount
    from {{ ref('int_orders') }}
    where
        is_purchase
        and {{ is_refreshed() }}

),

contacts as (

    select * from {{ ref('stg_campaign_contacts') }}
    where
        sent_date < {{ as_of_date() }}
        and {{ is_refreshed() }}

),

redemptions as (

    select * from {{ ref('stg_coupon_redemptions') }}
    where
        redeemed_date < {{ as_of_date() }}
        and {{ is_refreshed() }}

),

limits as (

    select {{ days_before(as_of_date(), 'cast(' ~ threshold('kpi_period_days') ~ ' as integer)') }} as period_start

),

contacts_of_period as (

    select contacts.*
    from contacts
    cross join limits
    where contacts.sent_date >= limits.period_start

),

-- A coupon of the campaign used on the day of the contact or later answers it.
redeemed_contacts as (

    select
        contacts_of_period.contact_id,
        contacts_of_period.campaign_id,
        redemptions.customer_id,
        redemptions.order_id
    from contacts_of_period
    inner join redemptions
        on
            contacts_of_period.customer_id = redemptions.customer_id
            and contacts_of_period.campaign_id = redemptions.campaign_id
    where redemptions.redeemed_date >= contacts_of_period.sent_date

),

campaign_orders as (

    select
        customer_id,
        converted_order_id as order_id,
        campaign_id
    from contacts_of_period
    where converted_order_id is not null
    union
    select
        customer_id,
        order_id,
        campaign_id
    from redeemed_contacts
    where order_id is not null

),

-- An order counts once, however many contacts led to it: for the first of their campaigns by name.
attributed as (

    select
        orders.customer_id,
        orders.order_id,
        orders.net_amount,
        min(campaign_orders.campaign_id) as campaign_id
    from orders
    inner join campaign_orders
        on
            orders.order_id = campaign_orders.order_id
            and orders.customer_id = campaign_orders.customer_id
    group by orders.customer_id, orders.order_id, orders.net_amount

),

campaign_revenue as (

    select
        customer_id,
        campaign_id,
        sum(net_amount) as campaign_revenue
    from attributed
    group by customer_id, campaign_id

),

redeemed as (

    select distinct contact_id
    from redeemed_contacts

),

answered_contacts as (

    select
        contacts_of_period.contact_id,
        contacts_of_period.customer_id,
        contacts_of_period.campaign_id,
        attributed.order_id is not null or redeemed.contact_id is not null as is_converted,
        coalesce(contacts_of_period.clicked_date < {{ as_of_date() }}, false) as is_clicked
    from contacts_of_period
    left join attributed
        on
            contacts_of_period.converted_order_id = attributed.order_id
            and contacts_of_period.customer_id = attributed.customer_id
    left join redeemed on contacts_of_period.contact_id = redeemed.contact_id

),

contact_facts as (

    select
        customer_id,
        campaign_id,
        count(*) as contacts,
        bool_or(is_converted or is_clicked) as is_responding,
        bool_or(is_converted) as is_converted
    from answered_contacts
    group by customer_id, campaign_id

),

final as (

    select
        contact_facts.customer_id,
        contact_facts.campaign_id,
        contact_facts.contacts,
        contact_facts.is_responding,
        contact_facts.is_converted,
        cast(campaign_revenue.campaign_revenue as decimal(18, 2)) as campaign_revenue
    from contact_facts
    left join campaign_revenue
        on
            contact_facts.customer_id = campaign_revenue.customer_id
            and contact_facts.campaign_id = campaign_revenue.campaign_id

)

select * from final
