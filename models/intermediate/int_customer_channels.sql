-- Recent orders and visits only: a habit is what the customer does now.
with orders as (

    select * from {{ ref('int_orders') }}
    where is_purchase

),

web_events as (

    select
        customer_id,
        channel,
        occurred_date
    from {{ ref('stg_web_events') }}
    where occurred_date < {{ as_of_date() }}

),

limits as (

    select {{ days_before(as_of_date(), 'cast(' ~ threshold('channel_preference_window_days') ~ ' as integer)') }} as window_start

),

orders_by_channel as (

    select
        orders.customer_id,
        orders.channel,
        count(*) as order_count
    from orders
    cross join limits
    where
        orders.channel is not null
        and orders.order_date >= limits.window_start
    group by orders.customer_id, orders.channel

),

-- Days and not events: ten pages looked at in a row are one visit.
visits_by_channel as (

    select
        web_events.customer_id,
        web_events.channel,
        count(distinct web_events.occurred_date) as visit_days
    from web_events
    cross join limits
    where
        web_events.channel is not null
        and web_events.occurred_date >= limits.window_start
    group by web_events.customer_id, web_events.channel

),

coded as (

    select
        customer_id,
        {{ code_of('channel') }} as channel,
        order_count,
        0 as visit_days
    from orders_by_channel

    union all

    select
        customer_id,
        {{ code_of('channel') }} as channel,
        0 as order_count,
        visit_days
    from visits_by_channel

),

final as (

    select
        customer_id,
        channel,
        cast(sum(order_count) as bigint) as order_count,
        cast(sum(visit_days) as bigint) as visit_days
    from coded
    where channel not in {{ words_for_nothing() }}
    group by customer_id, channel

)

select * from final
