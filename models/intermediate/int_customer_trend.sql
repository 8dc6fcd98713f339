{{ config_roll_up() }}

with customer_days as (

    select * from {{ ref('int_customer_days') }}
    where {{ is_refreshed() }}

),

limits as (

    select
        cast({{ threshold('trend_window_days') }} as integer) as window_days,
        cast({{ threshold('trend_year_days') }} as integer) as year_days

),

-- Half-open windows: from start up to, and without, end.
windows as (

    select
        {{ days_before(as_of_date(), 'window_days') }} as last_start,
        {{ days_before(as_of_date(), '2 * window_days') }} as previous_start,
        {{ days_before(as_of_date(), 'year_days') }} as year_ago_end,
        {{ days_before(as_of_date(), 'year_days + window_days') }} as year_ago_start
    from limits

),

placed as (

    select
        customer_days.customer_id,
        customer_days.purchase_orders,
        customer_days.net_amount,
        customer_days.order_date >= windows.last_start as is_last,
        customer_days.order_date >= windows.previous_start and customer_days.order_date < windows.last_start as is_previous,
        customer_days.order_date >= windows.year_ago_start and customer_days.order_date < windows.year_ago_end as is_year_ago
    from customer_days
    cross join windows
    where customer_days.order_date >= least(windows.previous_start, windows.year_ago_start)

),

final as (

    select
        customer_id,
        cast(sum(case when is_last then purchase_orders else 0 end) as bigint) as last_window_orders,
        cast(sum(case when is_previous then purchase_orders else 0 end) as bigint) as previous_window_orders,
        cast(sum(case when is_year_ago then purchase_orders else 0 end) as bigint) as year_ago_window_orders,
        count(*) filter (where is_last and purchase_orders > 0) as last_window_visits,
        count(*) filter (where is_previous and purchase_orders > 0) as previous_window_visits,
        count(*) filter (where is_year_ago and purchase_orders > 0) as year_ago_window_visits,
        cast(sum(case when is_last then net_amount else 0 end) as decimal(18, 2)) as last_window_amount,
        cast(sum(case when is_previous then net_amount else 0 end) as decimal(18, 2)) as previous_window_amount,
        cast(sum(case when is_year_ago then net_amount else 0 end) as decimal(18, 2)) as year_ago_window_amount,
        -- How much the baskets differ from each other. Squares of exact amounts, so that their sums are exact too.
        cast(sum(case when is_last and purchase_orders > 0 then {{ squared('net_amount') }} else 0 end) as decimal(38, 4))
            as last_window_squares,
        cast(sum(case when is_previous and purchase_orders > 0 then {{ squared('net_amount') }} else 0 end) as decimal(38, 4))
            as previous_window_squares,
        cast(sum(case when is_year_ago and purchase_orders > 0 then {{ squared('net_amount') }} else 0 end) as decimal(38, 4))
            as year_ago_window_squares
    from placed
    group by customer_id

)

select * from final
