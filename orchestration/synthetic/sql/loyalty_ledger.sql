-- Points. Grain: one row per movement. Members collect with every purchase and visit the programme every few weeks while they are engaged;
-- redeemers spend a share of what they earned since the last time, so that no balance falls below zero.
create or replace table clean_loyalty_ledger as
with members as (
    select
        n,
        customer_id,
        country,
        programme_habit,
        greatest(if(rhythm = 'none', signed_up_day, first_order_day), 0) as enrolled_day,
        -- The dormant stop showing their card three months after enrolment, and four months before the end at the latest.
        if(
            programme_habit = 'dormant',
            least(enrolled_day + 90, getvariable('window_days') - 120, active_until_day),
            active_until_day
        ) as engaged_until_day,
        parameter('programme_cycle_days') as cycle_days
    from people
    where programme_habit != 'not_a_member'
),

cycles as (
    select
        members.*,
        cycle_numbers.range as cycle_number,
        enrolled_day + cycle_numbers.range * cycle_days + draw_below('programme visit', n, cycle_numbers.range, 4) as day_number,
        programme_habit = 'active_redeemer'
        and (draw('redeems', n, cycle_numbers.range) < 0.8 or day_number + cycle_days >= getvariable('window_days')) as redeems
    from members
    inner join range(1, cast(ceil(getvariable('window_days') / parameter('programme_cycle_days')) as bigint) + 1) as cycle_numbers
        on cycle_numbers.range * cycle_days < engaged_until_day - enrolled_day
    where programme_habit in ('active_redeemer', 'collector') and day_number < engaged_until_day
),

order_points as (
    select
        order_number,
        n,
        ordered_at,
        day_number,
        cast(floor(sum(amount) * parameter('points_per_currency_unit')) as bigint) as points
    from lines
    where status = 'completed'
    group by all
),

earned as (
    select
        members.n, 'LW' || cast(n as varchar) as entry_id, enrolled_day as day_number, 36000 as local_seconds, 50 as points,
        null as order_number, null::timestamp as occurred_at
    from members
    union all
    select
        n, 'LB' || cast(n * 10000 + cycle_number as varchar), day_number, 39600 + draw_below('bonus time', n, cycle_number, 20000), 15,
        null, null
    from cycles
    union all
    select
        members.n, 'LO' || cast(order_points.order_number as varchar), order_points.day_number, null, order_points.points,
        order_points.order_number, order_points.ordered_at
    from order_points
    inner join members on order_points.n = members.n and order_points.day_number < members.engaged_until_day
    where order_points.points > 0
),

redemption_days as (
    select n, cycle_number, day_number
    from cycles
    where redeems
),

-- What was earned up to the day before a redemption, and after the one before it.
redeemed as (
    select
        redemption_days.n,
        redemption_days.cycle_number,
        redemption_days.day_number,
        -cast(floor(sum(earned.points) * parameter('redeemed_share')) as bigint) as points
    from earned
    asof join redemption_days on earned.n = redemption_days.n and earned.day_number < redemption_days.day_number
    group by all
),

expired as (
    select
        earned.n,
        (earned.day_number - members.enrolled_day) // 365 as membership_year,
        members.enrolled_day + (membership_year + 1) * 365 as day_number,
        -cast(floor(sum(earned.points) * parameter('expired_share')) as bigint) as points
    from earned
    inner join members on earned.n = members.n
    group by all
),

entries as (
    select n, entry_id, 'earn' as entry_type, day_number, local_seconds, points, null as reward_id, order_number, occurred_at
    from earned
    union all
    select
        n, 'LR' || cast(n * 10000 + cycle_number as varchar), 'redeem', day_number,
        64800 + draw_below('redemption time', n, cycle_number, 7200), points,
        ['W1', 'W2', 'W3', 'W4'][1 + draw_below('reward', n, cycle_number, 4)], null, null
    from redeemed
    where points < 0
    union all
    select n, 'LX' || cast(n * 100 + membership_year as varchar), 'expire', day_number, 86000, points, null, null, null
    from expired
    where day_number < getvariable('window_days') and points < 0
    union all
    select n, 'LA' || cast(n as varchar), 'adjust', enrolled_day + 20, 40000, 25, null, null, null
    from members
    where draw('goodwill', n, 0) < parameter('adjusted_member_share')
        and enrolled_day + 20 < least(engaged_until_day, getvariable('window_days'))
),

final as (
    select
        entries.n,
        entries.entry_id,
        members.customer_id,
        coalesce(entries.occurred_at, utc_time(entries.day_number, entries.local_seconds, calendar.utc_offset_seconds)) as occurred_at,
        entries.entry_type,
        cast(entries.points as decimal(18, 2)) as points,
        entries.reward_id,
        'O' || cast(100000000000 + entries.order_number as varchar) as order_id
    from entries
    inner join members on entries.n = members.n
    inner join calendar on members.country = calendar.country and entries.day_number = calendar.day_number
)

select *
from final
where occurred_at < getvariable('end_at');
