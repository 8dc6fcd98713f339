-- Visits. Grain: one row per event. Web and app orders leave their whole journey (visit, product_view, cart_add, checkout_start, order);
-- the other sessions end as a visit, a look at products, an abandoned cart or an abandoned checkout.
create or replace table clean_web_events as
with browsers as (
    select
        *,
        greatest(signed_up_day, 0) as first_day,
        case
            when rhythm != 'none'
                then count_draw(
                    parameter('sessions_a_month')[channel_preference] * greatest(active_until_day - first_day, 0) / 30,
                    draw('sessions', n, 0)
                )
            when planted_journey in ('visitor_no_purchase', 'cart_abandoner') then 1 + draw_below('sessions', n, 0, 5)
            else 0
        end as session_count
    from people
),

sessions as (
    select
        browsers.n,
        browsers.customer_id,
        browsers.country,
        browsers.category_affinity,
        session_numbers.range as session_number,
        case
            -- Carts that are worth a reminder were left in the last weeks.
            when planted_journey = 'cart_abandoner' and session_numbers.range = 0
                then greatest(first_day, getvariable('window_days') - 2 - draw_below('last cart', n, 0, 24))
            else first_day + draw_below('session day', n, session_numbers.range, (active_until_day - first_day))
        end as day_number,
        case
            when planted_journey = 'cart_abandoner' and session_numbers.range = 0 then if(draw('last cart', n, 1) < 0.6, 'cart', 'checkout')
            when planted_journey = 'visitor_no_purchase' then if(draw('session kind', n, session_numbers.range) < 0.5, 'visit', 'browse')
            else pick('session_kind', draw('session kind', n, session_numbers.range))
        end as session_kind,
        if(draw('session channel', n, session_numbers.range) < parameter('app_session_share')[channel_preference], 'app', 'web') as channel,
        pick('referrer', draw('referrer', n, session_numbers.range)) as referrer,
        1 + draw_below('views', n, session_numbers.range, 3) as view_count,
        1 + draw_below('carts', n, session_numbers.range, 1.5) as cart_count
    from browsers
    inner join range(0, 1000) as session_numbers on session_numbers.range < browsers.session_count
),

-- step 0 the visit, 1 to 3 product views, 4 and 5 what was put into the cart (the first ones looked at), 6 the checkout.
session_steps as (
    select
        sessions.*,
        steps.range as step,
        case
            when steps.range = 0 then 'visit'
            when steps.range <= 3 then 'product_view'
            when steps.range <= 5 then 'cart_add'
            else 'checkout_start'
        end as event_name,
        session_number * 16 + if(steps.range >= 4, steps.range - 3, steps.range) as product_key,
        steps.range between 1 and 5 as has_product
    from sessions
    inner join range(0, 7) as steps
        on steps.range = 0
        or (steps.range <= 3 and session_kind != 'visit' and steps.range <= view_count)
        or (steps.range in (4, 5) and session_kind in ('cart', 'checkout') and steps.range - 3 <= least(cart_count, view_count))
        or (steps.range = 6 and session_kind = 'checkout')
),

session_events as (
    select
        session_steps.n,
        'ES' || cast((n * 10000 + session_number) * 10 + step as varchar) as event_id,
        session_steps.customer_id,
        utc_time(
            session_steps.day_number,
            cast(pick('order_hour_online', draw('session hour', n, session_number)) as bigint) * 3600
            + draw_below('session second', n, session_number, 3000)
            + step * 75 + draw_below('step', n, session_number * 16 + step, 60),
            calendar.utc_offset_seconds
        ) as occurred_at,
        event_name,
        if(has_product, products.product_id, null) as product_id,
        if(has_product, products.category, null) as category,
        session_steps.channel,
        if(step = 0, referrer, null) as referrer
    from session_steps
    inner join calendar on session_steps.country = calendar.country and session_steps.day_number = calendar.day_number
    inner join category_slots on category_slots.slot = draw_below('viewed category', n, product_key, 100)
    left join categories as favourite on session_steps.category_affinity = favourite.category
    inner join product_list as products
        on products.product_number
        = if(
            favourite.category_number is not null and draw('viewed taste', n, product_key) < parameter('leading_category_share'),
            favourite.category_number,
            category_slots.category_number
        ) * 30 + draw_below('viewed product', n, product_key, 30)
),

tracked_lines as (
    select *
    from lines
    where channel != 'store' and line_number <= 4 and draw('tracked', n, order_key) < parameter('tracked_order_share')
),

order_steps as (
    select
        n, order_number, order_key, customer_id, ordered_at, channel, 0 as step, 'visit' as event_name, null as product_id, null as category
    from tracked_lines where line_number = 1
    union all
    select n, order_number, order_key, customer_id, ordered_at, channel, line_number, 'product_view', product_id, category
    from tracked_lines where line_number <= 3
    union all
    select n, order_number, order_key, customer_id, ordered_at, channel, 3 + line_number, 'cart_add', product_id, category
    from tracked_lines
    union all
    select n, order_number, order_key, customer_id, ordered_at, channel, 8, 'checkout_start', null, null
    from tracked_lines where line_number = 1
    union all
    select n, order_number, order_key, customer_id, ordered_at, channel, 9, 'order', null, null
    from tracked_lines where line_number = 1
),

final as (
    select *
    from session_events
    where occurred_at < getvariable('end_at')
    union all
    select
        n,
        'EO' || cast(order_number * 10 + step as varchar),
        customer_id,
        ordered_at - to_seconds((9 - step) * 75 + if(step = 9, 0, draw_below('order step', n, order_key * 16 + step, 60))),
        event_name,
        product_id,
        category,
        channel,
        if(step = 0, pick('referrer', draw('order referrer', n, order_key)), null)
    from order_steps
)

select *
from final;
