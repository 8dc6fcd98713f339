{{ config_roll_up() }}

with web_days as (

    select * from {{ ref('int_customer_web_days') }}
    where {{ is_refreshed() }}

),

limits as (

    select {{ days_before(as_of_date(), 90) }} as window_start

),

final as (

    select
        web_days.customer_id,
        count(distinct web_days.web_date) as web_days,
        count(distinct case when web_days.web_date >= limits.window_start then web_days.web_date end) as web_days_90d,
        cast(sum(case when web_days.web_date >= limits.window_start then web_days.product_view_count else 0 end) as bigint)
            as product_view_count_90d,
        cast(sum(case when web_days.web_date >= limits.window_start then web_days.cart_event_count else 0 end) as bigint)
            as cart_event_count_90d,
        max(web_days.web_date) as last_web_date,
        max(case when web_days.cart_event_count > 0 then web_days.web_date end) as last_cart_date,
        max(case when web_days.purchase_event_count > 0 then web_days.web_date end) as last_web_purchase_date,
        max(web_days.last_event_at) as last_event_at
    from web_days
    cross join limits
    group by web_days.customer_id

)

select * from final
