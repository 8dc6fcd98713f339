-- Purchases. Grain: one row per order. order_key: 0, 1, 2 … the customer's own purchases in time; 4000 the one that ends a planted
-- silence; 5000 + message_key those that a campaign brought.
create or replace table order_days as
with processes as (
    select
        n,
        country,
        clock,
        first_order_at,
        purchase_rate,
        regularity,
        -- What the clock still has to give, in operational days, and more purchases than will ever fit.
        (clock_runs_for - first_order_at) / 1e6 as remaining_days,
        cast(ceil(purchase_rate * remaining_days + 6 * sqrt(purchase_rate * remaining_days + 1) + 4) as bigint) as most_orders
    from people
    where rhythm in ('permanent', 'occasional', 'seasonal')
),

gaps as (
    select
        n,
        country,
        clock,
        first_order_at,
        order_key,
        -- Erlang: the sum of `regularity` exponentials, so that the mean gap is 1 / purchase_rate for everybody.
        1 + cast(floor(
            if(
                regularity = 3,
                -ln(draw('gap', n, order_key) * draw('second gap', n, order_key) * draw('third gap', n, order_key)) / 3,
                -ln(draw('gap', n, order_key))
            ) / greatest(purchase_rate, 1e-9) * 1e6
        ) as bigint) as gap
    from processes
    cross join lateral (select unnest(range(1, least(most_orders, 3900) + 1)) as order_key) as orders
),

repeat_orders as (
    select n, country, clock, order_key, first_order_at + sum(gap) over (partition by n order by order_key) as ordered_at_clock
    from gaps
),

clocked_orders as (
    select repeat_orders.n, repeat_orders.order_key, shopping_clock.day_number
    from repeat_orders
    asof join shopping_clock
        on repeat_orders.country = shopping_clock.country
        and repeat_orders.clock = shopping_clock.clock
        and repeat_orders.ordered_at_clock >= shopping_clock.opens_at
    where repeat_orders.ordered_at_clock < shopping_clock.runs_for
),

own_orders as (
    select n, 0 as order_key, first_order_day as day_number
    from people
    where rhythm != 'none'
    union all
    select n, order_key, day_number
    from clocked_orders
),

lived_orders as (
    select own_orders.n, own_orders.order_key, own_orders.day_number
    from own_orders
    inner join people on own_orders.n = people.n
    where own_orders.day_number < people.active_until_day
        and coalesce(own_orders.day_number < people.silence_starts_day or own_orders.day_number >= people.silence_ends_day, true)
),

-- Orders that a contact cost: each one of the next days, with the planted probability.
disturbed_orders as (
    select distinct lived_orders.n, lived_orders.order_key
    from lived_orders
    inner join chosen
        on lived_orders.n = chosen.n
        and lived_orders.day_number > chosen.sent_day
        and lived_orders.day_number <= chosen.sent_day + parameter('uplift_days')
    where chosen.is_disturbed and draw('disturbed', lived_orders.n, lived_orders.order_key) < parameter('do_not_disturb_loss')
),

final as (
    select lived_orders.*, null::bigint as caused_by_message
    from lived_orders
    anti join disturbed_orders on lived_orders.n = disturbed_orders.n and lived_orders.order_key = disturbed_orders.order_key
    union all
    select n, 4000, getvariable('window_days') - 1 - draw_below('return', n, 0, 30), null
    from people
    where is_planted_returning
    union all
    select n, 5000 + message_key, moved_order_day, message_key
    from chosen
    where moved_order_day is not null
)

select *
from final;

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
