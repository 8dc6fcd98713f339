-- Whether a message of which nothing was heard counts depends on everybody's (int_customer_contact_channels); here these are counted apart.
-- Nothing but their number and days has to be known: nobody opened or answered them.
{{ config_roll_up() }}

with contacts as (

    select * from {{ ref('stg_campaign_contacts') }}
    where
        sent_date < {{ as_of_date() }}
        and {{ is_refreshed() }}

),

campaigns as (

    select * from {{ ref('stg_campaigns') }}

),

channels as (

    select
        name,
        channel
    from {{ ref('contact_channels') }}

),

purchases as (

    select
        order_id,
        customer_id
    from {{ ref('int_orders') }}
    where
        is_purchase
        and {{ is_refreshed() }}

),

redemptions as (

    select * from {{ ref('stg_coupon_redemptions') }}
    where
        redeemed_date < {{ as_of_date() }}
        and {{ is_refreshed() }}

),

limits as (

    select
        cast({{ threshold('campaign_response_window_days') }} as integer) as window_days,
        cast({{ threshold('campaign_response_recent_days') }} as integer) as recent_days,
        cast({{ threshold('contact_preference_window_days') }} as integer) as preference_days

),

redeemed_campaigns as (

    select
        customer_id,
        campaign_id,
        max(redeemed_at) as last_redeemed_at
    from redemptions
    where campaign_id is not null
    group by customer_id, campaign_id

),

known as (

    select
        contacts.customer_id,
        case
            when channels.channel is not null then channels.channel
            when coalesce(contacts.channel, campaigns.channel) is null then 'unknown'
            else 'other'
        end as channel,
        contacts.sent_date,
        coalesce(contacts.delivered_date < {{ as_of_date() }}, false) as is_delivered,
        coalesce(contacts.opened_date < {{ as_of_date() }}, false) as is_opened,
        coalesce(contacts.clicked_date < {{ as_of_date() }}, false) as is_clicked,
        purchases.order_id is not null as is_converted,
        coalesce(redeemed_campaigns.last_redeemed_at >= contacts.sent_at, false) as is_redeemed,
        case when contacts.unsubscribed_date < {{ as_of_date() }} then contacts.unsubscribed_at end as unsubscribed_at,
        case when contacts.unsubscribed_date < {{ as_of_date() }} then contacts.unsubscribed_date end as unsubscribed_date
    from contacts
    left join campaigns on contacts.campaign_id = campaigns.campaign_id
    left join channels on coalesce(contacts.channel, campaigns.channel) = channels.name
    left join purchases on contacts.converted_order_id = purchases.order_id and contacts.customer_id = purchases.customer_id
    left join
        redeemed_campaigns
        on contacts.customer_id = redeemed_campaigns.customer_id and contacts.campaign_id = redeemed_campaigns.campaign_id

),

judged as (

    select
        known.customer_id,
        known.channel,
        known.sent_date,
        known.unsubscribed_at,
        known.unsubscribed_date,
        known.is_converted,
        known.is_converted or known.is_redeemed as is_responded,
        -- Pictures that are not loaded hide an opening: whoever clicked has opened.
        known.is_opened or known.is_clicked as is_opened,
        known.is_clicked,
        known.is_opened or known.is_clicked or known.is_converted or known.is_redeemed as is_answered,
        known.sent_date >= {{ days_before(as_of_date(), 'limits.window_days') }} as is_window,
        known.sent_date >= {{ days_before(as_of_date(), 'limits.recent_days') }} as is_recent,
        known.sent_date >= {{ days_before(as_of_date(), '2 * limits.recent_days') }}
        and known.sent_date < {{ days_before(as_of_date(), 'limits.recent_days') }} as is_previous,
        known.sent_date >= {{ days_before(as_of_date(), 'limits.preference_days') }} as is_preference_window,
        known.is_delivered,
        known.is_delivered or known.is_opened or known.is_clicked or known.is_converted or known.is_redeemed
        or known.unsubscribed_at is not null as has_arrived
    from known
    cross join limits

),

final as (

    select
        customer_id,
        channel,

        count(*) filter (where is_delivered) as delivered_contacts,

        count(*) filter (where has_arrived) as arrived_contacts,
        min(case when has_arrived then sent_date end) as first_arrived_date,
        max(case when has_arrived then sent_date end) as last_arrived_date,
        max(unsubscribed_at) as last_unsubscribed_at,
        max(unsubscribed_date) as last_unsubscribed_date,

        count(*) filter (where is_window and has_arrived) as window_arrived,
        count(*) filter (where is_window and is_opened) as window_opened,
        count(*) filter (where is_window and is_clicked) as window_clicked,
        count(*) filter (where is_window and is_converted) as window_converted,
        count(*) filter (where is_window and is_responded) as window_responded,
        count(*) filter (where is_window and is_answered) as window_answered,

        count(*) filter (where is_recent and has_arrived) as recent_arrived,
        count(*) filter (where is_recent and is_answered) as recent_answered,
        count(*) filter (where is_previous and has_arrived) as previous_arrived,
        count(*) filter (where is_previous and is_answered) as previous_answered,

        count(*) filter (where is_preference_window and has_arrived) as preference_arrived,
        count(*) filter (where is_preference_window and is_answered) as preference_answered,

        count(*) as contact_count,
        min(sent_date) as first_contact_date,
        max(sent_date) as last_contact_date,
        count(*) filter (where is_window) as window_contacts,
        count(*) filter (where is_recent) as recent_contacts,
        count(*) filter (where is_previous) as previous_contacts,
        count(*) filter (where is_preference_window) as preference_contacts
    from judged
    group by customer_id, channel

)

select * from final
