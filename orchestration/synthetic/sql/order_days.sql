-- When each customer buys. Grain: one row per order. order_key: 0, 1, 2 … the customer's own purchases in time; 4000 the one that ends a planted
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
