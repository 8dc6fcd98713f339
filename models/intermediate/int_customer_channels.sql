-- Recent orders and visits only: a habit is what the customer does now.
{{ config_roll_up() }}

with orders as (

    select * from {{ ref('int_orders') }}
    where
        is_purchase
        and {{ is_refreshed() }}

),

web_days as (

    select * from {{ ref('int_customer_web_days') }}
    where {{ is_refreshed() }}

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
        web_days.customer_id,
        web_days.channel,
        count(*) as visit_days
    from web_days
    cross join limits
    where web_days.web_date >= limits.window_start
    group by web_days.customer_id, web_days.channel

),

counted as (

    select
        customer_id,
        channel,
        order_count,
        0 as visit_days
    from orders_by_channel

    union all

    select
        customer_id,
        channel,
        0 as order_count,
        visit_days
    from visits_by_channel

),

spellings as (

    select distinct channel as stated_channel
    from counted

),

-- A text is rewritten once per spelling, not once per customer.
channels as (

    select
        stated_channel,
        {{ code_of('stated_channel') }} as channel
    from spellings

),

final as (

    select
        counted.customer_id,
        channels.channel,
        cast(sum(counted.order_count) as bigint) as order_count,
        cast(sum(counted.visit_days) as bigint) as visit_days
    from counted
    inner join channels on counted.channel = channels.stated_channel
    where channels.channel not in {{ words_for_nothing() }}
    group by counted.customer_id, channels.channel

)

select * from final
