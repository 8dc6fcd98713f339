-- Purchases, and which of them the source credits to a message. Grain of plain_orders and orders: one row per order.
create or replace table plain_orders as
with placed as (
    select
        order_days.*,
        people.* exclude (n, country),
        people.country,
        calendar.utc_offset_seconds,
        calendar.day,
        order_days.n * 10000 + order_days.order_key as order_number,
        case
            when channel_preference = 'omnichannel' then pick('omnichannel_order', draw('order channel', order_days.n, order_key))
            when draw('order channel', order_days.n, order_key) < parameter('preferred_channel_share') then channel_preference
            -- One of the two others.
            when draw('other channel', order_days.n, order_key) < 0.5 then if(channel_preference = 'store', 'web', 'store')
            else if(channel_preference = 'app', 'web', 'app')
        end as channel
    from order_days
    inner join people on order_days.n = people.n
    inner join calendar on people.country = calendar.country and order_days.day_number = calendar.day_number
),

timed as (
    select
        *,
        cast(
            if(
                channel = 'store',
                pick('order_hour_store', draw('order hour', n, order_key)),
                pick('order_hour_online', draw('order hour', n, order_key))
            ) as bigint
        ) * 3600 + draw_below('order second', n, order_key, 3600) as local_seconds,
        utc_time(day_number, local_seconds, utc_offset_seconds) as ordered_at
    from placed
),

stores as (
    select country, country_index, country_stores, store_id
    from store_list
),

final as (
    select
        timed.n,
        timed.customer_id,
        timed.order_key,
        timed.order_number,
        timed.caused_by_message,
        timed.day,
        timed.day_number,
        timed.ordered_at,
        timed.channel,
        case
            when channel != 'store' then null
            when draw('home store visit', timed.n, order_key) < parameter('home_store_share') then home_store_id
            else stores.store_id
        end as store_id,
        case
            when draw('unknown payment', timed.n, order_key) < parameter('unknown_payment_share') then null
            when payment_preference = 'mixed' or draw('payment', timed.n, order_key) >= parameter('preferred_payment_share')
                then pick('payment_mixed', draw('other payment', timed.n, order_key))
            -- Cash is for the store; online such a customer takes the card.
            when payment_preference = 'cash' and channel != 'store' then 'card'
            else payment_preference
        end as payment_method,
        mean_order_value
        * gamma_draw(parameter('spend_shape'), 'order value', timed.n, order_key) / parameter('spend_shape')
        * if(
            day_number >= getvariable('window_days') - parameter('value_trend_days'),
            parameter('trend_factor')[planted_value_trend],
            1
        ) as target_value,
        draw('own coupon', timed.n, order_key) < parameter('own_coupon_share')[promotion_type] as has_own_coupon,
        if(draw('cancelled', timed.n, order_key) < parameter('cancelled_order_share'), 'cancelled', 'completed') as status,
        least(
            1 + cast(floor(ln(draw('lines', timed.n, order_key)) / ln(parameter('further_line_probability'))) as bigint),
            parameter('maximum_lines')
        ) as line_count,
        promotion_type,
        price_sensitivity,
        quality_preference,
        category_affinity,
        draw('second category', timed.n, 0) as second_category_draw
    from timed
    inner join stores
        on timed.country = stores.country
        and stores.country_index = draw_below('other store', timed.n, order_key, stores.country_stores)
    where timed.ordered_at < getvariable('end_at')
)

select *
from final;

-- The source's own attribution: the order within some days of a click, where this customer's answers are credited to campaigns.
create or replace table conversions as
with clicked as (
    select n, campaign_number, campaign_id, message_key, clicked_at, has_coupon, campaign_response
    from chosen
    where clicked_at is not null and moved_order_day is null
        and draw('attributed', n, message_key) < parameter('attributed_share')[campaign_response]
),

own_orders as (
    -- Times are whole seconds; the key breaks ties between orders of the same second.
    select n, order_number, ordered_at, ordered_at + to_microseconds(order_key) as moment
    from plain_orders
    where status = 'completed' and caused_by_message is null
),

followed as (
    select clicked.*, own_orders.order_number, own_orders.ordered_at
    from clicked
    asof join own_orders on clicked.n = own_orders.n and clicked.clicked_at <= own_orders.moment
),

final as (
    select n, campaign_number, campaign_id, message_key, has_coupon, order_number
    from followed
    where ordered_at < clicked_at + to_days(cast(parameter('attribution_days') as integer))
    union all
    select chosen.n, chosen.campaign_number, chosen.campaign_id, chosen.message_key, chosen.has_coupon, plain_orders.order_number
    from chosen
    inner join plain_orders on chosen.n = plain_orders.n and chosen.message_key = plain_orders.caused_by_message
)

select *
from final;

create or replace table orders as
with campaign_coupons as (
    select order_number, min(campaign_number) as coupon_campaign_number, min(campaign_id) as coupon_campaign_id
    from conversions
    where has_coupon
    group by order_number
)

select
    plain_orders.*,
    campaign_coupons.coupon_campaign_number,
    campaign_coupons.coupon_campaign_id,
    has_own_coupon or campaign_coupons.order_number is not null as has_coupon
from plain_orders
left join campaign_coupons on plain_orders.order_number = campaign_coupons.order_number;
