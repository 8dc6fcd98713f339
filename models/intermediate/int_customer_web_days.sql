-- Next to the order lines the longest raw table: rolled up once, for everything that asks what a customer does on the web.
{{ config_roll_up() }}

with web_events as (

    select * from {{ ref('stg_web_events') }}
    where
        occurred_date < {{ as_of_date() }}
        and {{ is_refreshed() }}

),

meanings as (

    select
        event_name,
        meaning
    from {{ ref('web_event_meanings') }}

),

final as (

    select
        web_events.customer_id,
        web_events.occurred_date as web_date,
        coalesce(web_events.channel, 'unknown') as channel,

        count(*) as event_count,
        count(*) filter (where meanings.meaning = 'visit') as visit_count,
        count(*) filter (where meanings.meaning = 'product_view') as product_view_count,
        count(*) filter (where meanings.meaning = 'cart') as cart_event_count,
        count(*) filter (where meanings.meaning = 'purchase') as purchase_event_count,
        max(web_events.occurred_at) as last_event_at
    from web_events
    left join meanings on web_events.event_name = meanings.event_name
    group by web_events.customer_id, web_events.occurred_date, coalesce(web_events.channel, 'unknown')

)

select * from final
