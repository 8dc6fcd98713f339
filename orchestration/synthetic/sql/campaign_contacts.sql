-- Who was chosen for each campaign, who was contacted, and what the contact did. Grain: one row per campaign, customer and message.
-- The control group of an experiment is chosen but not contacted. What a contact changes in buying is decided here, before the orders:
-- a persuadable customer's contact adds an order with probability `true_uplift`, a contact of one who wants no disturbance costs orders.
create or replace table chosen as
with chosen_customers as (
    select
        people.n,
        people.country,
        people.contact_preference,
        people.campaign_response,
        people.uplift_type,
        people.purchase_rate,
        people.best_contact_hour,
        people.best_contact_weekday,
        permissions.unsubscribes_from_day,
        campaign_list.campaign_number,
        campaign_list.campaign_id,
        campaign_list.channel,
        campaign_list.is_experiment,
        campaign_list.has_coupon,
        campaign_list.first_day_number + draw_below('send day', people.n, campaign_number, 3) as sent_day,
        campaign_list.is_experiment and draw('control', people.n, campaign_number) < parameter('control_share') as is_control,
        -- Nobody is moved by a message before their first purchase or after their last.
        people.rhythm in ('permanent', 'occasional')
        and not people.is_planted_returning
        and sent_day > people.first_order_day
        and sent_day + 7 < people.active_until_day as is_movable
    from campaign_list
    inner join people on draw('target', people.n, campaign_number) < parameter('target_share')[people.campaign_response]
    inner join permissions on people.n = permissions.n and list_contains(permissions.granted_channels, campaign_list.channel)
    -- Campaigns to an audience choose otherwise (audience_contacts).
    where people.signed_up_day < campaign_list.first_day_number and campaign_list.campaign_type != 'win_back'
),

-- Those who get too much are written to twice.
messages as (
    select *, 0 as message_number
    from chosen_customers
    union all
    select * replace (sent_day + 2 as sent_day, false as is_movable), 1 as message_number
    from chosen_customers
    where campaign_response = 'over_contacted' and not is_control
),

-- The first message after the day on which they have had enough is the one they unsubscribe by; nothing is sent after it.
last_messages as (
    select n, min(sent_day * 1000 + campaign_number) as last_message
    from messages
    where campaign_response = 'unsubscribed' and not is_control and sent_day >= unsubscribes_from_day
    group by n
),

sent_messages as (
    select
        messages.*,
        campaign_number * 2 + message_number as message_key,
        not is_control and coalesce(sent_day * 1000 + campaign_number = last_message, false) as unsubscribes,
        calendar.utc_offset_seconds,
        isodow(calendar.day) as sent_weekday,
        28800 + draw_below('send time', messages.n, message_key, 36000) as sent_seconds,
        if(contact_preference = channel, 1.0, parameter('wrong_channel_factor')) as channel_factor
    from messages
    inner join calendar on messages.country = calendar.country and messages.sent_day = calendar.day_number
    left join last_messages on messages.n = last_messages.n
    where messages.sent_day < getvariable('window_days')
        and (last_message is null or messages.sent_day * 1000 + messages.campaign_number <= last_message)
),

responses as (
    select
        *,
        case
            when not is_movable then 0.0
            when uplift_type = 'persuadable' then parameter('persuadable_uplift')
            -- Only in experiments, which lie so far apart that no order is kept away by two contacts.
            when uplift_type = 'do_not_disturb' and is_experiment then -parameter('do_not_disturb_loss') * purchase_rate * parameter('uplift_days')
            else 0.0
        end as true_uplift,
        not is_control and true_uplift > draw('moved', n, message_key) as is_moved,
        not is_control and true_uplift < 0 as is_disturbed,
        not is_control and channel != 'post'
        and (is_moved or draw('delivered', n, message_key) < parameter('delivered_share')) as is_delivered,
        is_moved
        or ((is_delivered or channel = 'post') and not is_control
            and draw('opened', n, message_key) < parameter('open_probability')[campaign_response] * channel_factor) as is_read,
        -- Of a letter only the scan of its code is seen, and whoever reads it to the end does scan it.
        is_moved
        or (is_read
            and draw('clicked', n, message_key)
            < parameter('click_probability')[campaign_response] * if(channel = 'post', parameter('scan_factor'), 1)) as is_clicked,
        -- On their own weekday, mostly; a message that moves somebody is read within two days.
        draw('weekday', n, message_key) < parameter('preferred_weekday_share') and not is_moved as waits_for_weekday,
        best_contact_hour * 3600 + draw_below('read time', n, message_key, 3600) as read_seconds,
        case
            when is_moved then 1 + draw_below('read day', n, message_key, 2)
            when waits_for_weekday then (best_contact_weekday - sent_weekday + 7) % 7
            else draw_below('read day', n, message_key, 3)
        end as wanted_delay,
        case when wanted_delay > 0 or read_seconds > sent_seconds then wanted_delay when waits_for_weekday then 7 else 1 end as read_delay
    from sent_messages
),

times as (
    select
        *,
        utc_time(sent_day, sent_seconds, utc_offset_seconds) as sent_at,
        utc_time(sent_day + read_delay, read_seconds, utc_offset_seconds) as read_at,
        read_at + to_seconds(40 + draw_below('click time', n, message_key, 900)) as click_at
    from responses
)

select
    n,
    country,
    campaign_number,
    campaign_id,
    message_key,
    channel,
    campaign_response,
    uplift_type,
    is_experiment,
    has_coupon,
    is_control,
    is_disturbed,
    true_uplift,
    sent_day,
    sent_at,
    if(is_delivered, sent_at + to_seconds(1 + draw_below('delivery', n, message_key, 60)), null) as delivered_at,
    if(is_read and channel != 'post' and read_at < getvariable('end_at'), read_at, null) as opened_at,
    if(is_clicked and click_at < getvariable('end_at'), click_at, null) as clicked_at,
    if(
        unsubscribes,
        least(sent_at + to_seconds(3600 + draw_below('unsubscribe time', n, 0, 36000)), getvariable('end_at') - interval 1 second),
        null
    ) as unsubscribed_at,
    if(is_moved, sent_day + read_delay + draw_below('moved day', n, message_key, 3) + 1, null) as moved_order_day
from times
where sent_at < getvariable('end_at');
