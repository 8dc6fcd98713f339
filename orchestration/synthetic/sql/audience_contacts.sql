-- Whom the campaigns to an audience choose, and the orders they bring: added to `chosen` and `order_days`.
-- The retailer writes to everybody who may be written to and has bought nothing of their own for some time: at least to all whom the project
-- finds lapsed. Who is on the holdout side of the audience, by the same hash as in the project, is chosen and not contacted.
create or replace table audience_chosen as
with silent_customers as (
    select
        campaigns.campaign_number,
        people.n,
        max(order_days.day_number) as last_order_day
    from campaign_list as campaigns
    cross join people
    inner join order_days on people.n = order_days.n and order_days.day_number < campaigns.first_day_number
    where campaigns.campaign_type = 'win_back' and order_days.caused_by_message is null
    group by all
    having max(order_days.day_number) < campaigns.first_day_number - parameter('win_back_silence_days')
),

chosen_customers as (
    select
        people.n,
        people.country,
        people.customer_id,
        people.campaign_response,
        people.uplift_type,
        campaigns.campaign_number,
        campaigns.campaign_id,
        campaigns.campaign_number * 2 as message_key,
        campaigns.channel,
        campaigns.first_day_number + draw_below('send day', people.n, campaigns.campaign_number, 3) as sent_day,
        parameter('win_back_uplift') as true_uplift,
        substring(md5(campaigns.target_audience || ':' || people.customer_id), 1, 8)
        < printf('%08x', cast(floor(parameter('win_back_holdout_percent') * 42949672.96) as bigint)) as is_control
    from silent_customers
    inner join people on silent_customers.n = people.n
    inner join campaign_list as campaigns on silent_customers.campaign_number = campaigns.campaign_number
    inner join permissions on people.n = permissions.n and list_contains(permissions.granted_channels, campaigns.channel)
    where coalesce(permissions.unsubscribes_from_day > campaigns.first_day_number, true)
),

answers as (
    select
        chosen_customers.*,
        calendar.utc_offset_seconds,
        28800 + draw_below('send time', chosen_customers.n, message_key, 36000) as sent_seconds,
        utc_time(sent_day, sent_seconds, utc_offset_seconds) as sent_at,
        not is_control and draw('moved', chosen_customers.n, message_key) < true_uplift as is_moved,
        not is_control and (is_moved or draw('delivered', chosen_customers.n, message_key) < parameter('delivered_share')) as is_delivered,
        -- Who is brought back reads the message within a day.
        sent_at + to_seconds(3600 + draw_below('read time', chosen_customers.n, message_key, 80000)) as read_at
    from chosen_customers
    inner join calendar on chosen_customers.country = calendar.country and chosen_customers.sent_day = calendar.day_number
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
    true as is_experiment,
    false as has_coupon,
    is_control,
    false as is_disturbed,
    true_uplift,
    sent_day,
    sent_at,
    if(is_delivered, sent_at + to_seconds(1 + draw_below('delivery', n, message_key, 60)), null) as delivered_at,
    if(is_moved, read_at, null) as opened_at,
    if(is_moved, read_at + to_seconds(40 + draw_below('click time', n, message_key, 900)), null) as clicked_at,
    null::timestamp as unsubscribed_at,
    if(is_moved, sent_day + 2 + draw_below('moved day', n, message_key, 5), null) as moved_order_day
from answers;

insert into chosen by name
from audience_chosen;

insert into order_days by name
select n, 5000 + message_key as order_key, moved_order_day as day_number, message_key as caused_by_message
from audience_chosen
where moved_order_day is not null;
