with orders as (

    select * from {{ ref('customer_order_features') }}

),

trend as (

    select * from {{ ref('customer_trend_features') }}

),

cut_points as (

    select * from {{ ref('value_trend_cut_points') }}

),

limits as (

    select
        {{ threshold('trend_change_share') }} as change_share,
        {{ threshold('trend_minimum_orders') }} as minimum_orders,
        (select max(value) from cut_points) as high_amount

),

-- More taken back than bought in a window counts as nothing spent in it.
floored as (

    select
        customer_id,
        greatest(last_window_amount, 0) as last_amount,
        greatest(previous_window_amount, 0) as previous_amount,
        case when is_year_ago_observed then greatest(year_ago_window_amount, 0) end as year_ago_amount
    from trend

),

-- Compared with the window before and, where it was observed, with the same window a year ago; each must agree.
compared as (

    select
        floored.customer_id,
        floored.last_amount > floored.previous_amount * (1 + limits.change_share)
        and coalesce(floored.last_amount > floored.year_ago_amount * (1 + limits.change_share), true) as is_above,
        floored.last_amount < floored.previous_amount * (1 - limits.change_share)
        and coalesce(floored.last_amount < floored.year_ago_amount * (1 - limits.change_share), true) as is_below
    from floored
    cross join limits

),

final as (

    select
        orders.customer_id,
        orders.as_of_date,
        case
            when orders.order_count = 0 then 'none'
            when orders.first_order_date > trend.previous_window_start then 'new'
            -- Nothing bought in both windows. Whoever buys in another season only was as quiet a year ago and has bought since.
            when
                trend.last_window_orders + trend.previous_window_orders = 0
                and not coalesce(trend.year_ago_window_orders = 0 and orders.orders_365d > 0, false)
                then 'inactive'
            when trend.last_window_orders + trend.previous_window_orders < limits.minimum_orders then 'steady'
            when compared.is_above then 'rising'
            when compared.is_below and trend.baseline_amount > limits.high_amount then 'declining_from_high'
            when compared.is_below then 'declining'
            else 'steady'
        end as segment,
        orders.first_order_date,
        trend.last_window_orders,
        trend.previous_window_orders,
        trend.last_window_amount,
        trend.previous_window_amount,
        trend.year_ago_window_amount,
        trend.baseline_amount
    from orders
    inner join trend on orders.customer_id = trend.customer_id
    inner join compared on orders.customer_id = compared.customer_id
    cross join limits

)

select * from final
