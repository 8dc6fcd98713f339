-- Requests for help. Grain: one row per ticket. Those planted as waiting got an answer and have not come back since.
create or replace table clean_support_tickets as
with asked as (
    select
        orders.n,
        orders.order_key as ticket_key,
        orders.ordered_at + to_seconds(14400 + draw_below('ticket time', orders.n, orders.order_key, 600000)) as opened_at,
        false as is_waiting
    from orders
    inner join people on orders.n = people.n
    where draw('ticket', orders.n, orders.order_key)
        < parameter('ticket_share') * if(people.advocacy = 'detractor', parameter('detractor_ticket_factor'), 1)
    union all
    select
        people.n,
        9000,
        utc_time(people.waiting_ticket_day, 32400 + draw_below('ticket time', people.n, 9000, 20000), calendar.utc_offset_seconds),
        true
    from people
    inner join calendar on people.country = calendar.country and people.waiting_ticket_day = calendar.day_number
    where people.is_planted_support_waiting
),

answered as (
    select
        asked.*,
        people.customer_id,
        people.need,
        people.advocacy,
        people.waiting_ticket_day,
        if(
            is_waiting or draw('reply', n, ticket_key) < parameter('replied_share'),
            opened_at + to_seconds(
                900 + if(is_waiting, draw_below('reply time', n, ticket_key, 80000), draw_waiting('reply time', n, ticket_key, 60000))
            ),
            null
        ) as wanted_reply_at,
        if(wanted_reply_at < getvariable('end_at'), wanted_reply_at, null) as first_reply_at
    from asked
    inner join people using (n)
),

followed as (
    select
        *,
        if(
            not is_waiting and first_reply_at is not null and draw('comeback', n, ticket_key) < parameter('comeback_share'),
            first_reply_at + to_seconds(600 + draw_waiting('comeback time', n, ticket_key, 86400)),
            null
        ) as wanted_comeback_at,
        if(wanted_comeback_at < getvariable('end_at'), wanted_comeback_at, null) as customer_replied_at,
        if(
            first_reply_at is not null,
            coalesce(wanted_comeback_at, first_reply_at) + to_seconds(7200 + draw_waiting('closing time', n, ticket_key, 200000)),
            null
        ) as wanted_close_at
    from answered
)

select
    n,
    'T' || cast(n * 10000 + ticket_key as varchar) as ticket_id,
    customer_id,
    opened_at,
    first_reply_at,
    customer_replied_at,
    if(wanted_close_at < getvariable('end_at'), wanted_close_at, null) as closed_at,
    pick_given('ticket_topic', need, draw('topic', n, ticket_key)) as topic,
    -- One to five; those who recommend us are easier to please.
    if(
        first_reply_at is not null and draw('rated', n, ticket_key) < 0.45,
        cast(
            case when advocacy = 'detractor' then 1 when advocacy in ('promoter', 'ambassador') then 4 else 3 end
            + draw_below('rating', n, ticket_key, 2) as decimal(18, 2)
        ),
        null
    ) as satisfaction_score
from followed
where opened_at < getvariable('end_at')
    -- Nothing is heard from those who wait after the answer.
    and (waiting_ticket_day is null or is_waiting or opened_at < midnight_of(waiting_ticket_day - 25));
