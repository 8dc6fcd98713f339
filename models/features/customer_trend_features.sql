with customers as (

    select * from {{ ref('int_customers') }}

),

customer_days as (

    select * from {{ ref('int_customer_days') }}

),

limits as (

    select
        cast({{ threshold('trend_window_days') }} as integer) as window_days,
        cast({{ threshold('trend_year_days') }} as integer) as year_days

),

-- Half-open windows: from start up to, and without, end.
windows as (

    select
        {{ as_of_date() }} as last_end,
        {{ days_before(as_of_date(), 'window_days') }} as last_start,
        {{ days_before(as_of_date(), '2 * window_days') }} as previous_start,
        {{ days_before(as_of_date(), 'year_days') }} as year_ago_end,
        {{ days_before(as_of_date(), 'year_days + window_days') }} as year_ago_start
    from limits

),

-- The first day of which anything is known: a window before it was not observed, for anybody.
history as (

    select min(order_date) as history_start
    from customer_days

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

per_customer as (

    select
        customer_id,
        sum(case when is_last then purchase_orders else 0 end) as last_window_orders,
        sum(case when is_previous then purchase_orders else 0 end) as previous_window_orders,
        sum(case when is_year_ago then purchase_orders else 0 end) as year_ago_window_orders,
        count(*) filter (where is_last and purchase_orders > 0) as last_window_visits,
        count(*) filter (where is_previous and purchase_orders > 0) as previous_window_visits,
        count(*) filter (where is_year_ago and purchase_orders > 0) as year_ago_window_visits,
        sum(case when is_last then net_amount else 0 end) as last_window_amount,
        sum(case when is_previous then net_amount else 0 end) as previous_window_amount,
        sum(case when is_year_ago then net_amount else 0 end) as year_ago_window_amount,
        -- How much the baskets differ from each other. Squares of exact amounts, so that their sums are exact too.
        sum(case when is_last and purchase_orders > 0 then net_amount * net_amount else 0 end) as last_window_squares,
        sum(case when is_previous and purchase_orders > 0 then net_amount * net_amount else 0 end) as previous_window_squares,
        sum(case when is_year_ago and purchase_orders > 0 then net_amount * net_amount else 0 end) as year_ago_window_squares
    from placed
    group by customer_id

),

observed as (

    select
        customers.customer_id,
        customers.as_of_date,
        windows.previous_start as previous_window_start,
        -- greatest() skips nulls on both engines: without a date of the customer the history decides.
        coalesce(greatest(customers.customer_since_date, history.history_start) <= windows.year_ago_start, false) as is_year_ago_observed
    from customers
    cross join history
    cross join windows

),

measured as (

    select
        observed.customer_id,
        observed.as_of_date,
        observed.previous_window_start,
        observed.is_year_ago_observed,

        cast(coalesce(per_customer.last_window_orders, 0) as bigint) as last_window_orders,
        cast(coalesce(per_customer.previous_window_orders, 0) as bigint) as previous_window_orders,
        case
            when observed.is_year_ago_observed then cast(coalesce(per_customer.year_ago_window_orders, 0) as bigint)
        end as year_ago_window_orders,

        coalesce(per_customer.last_window_visits, 0) as last_window_visits,
        coalesce(per_customer.previous_window_visits, 0) as previous_window_visits,
        case when observed.is_year_ago_observed then coalesce(per_customer.year_ago_window_visits, 0) end as year_ago_window_visits,

        cast(coalesce(per_customer.last_window_amount, 0) as decimal(18, 2)) as last_window_amount,
        cast(coalesce(per_customer.previous_window_amount, 0) as decimal(18, 2)) as previous_window_amount,
        case
            when observed.is_year_ago_observed then cast(coalesce(per_customer.year_ago_window_amount, 0) as decimal(18, 2))
        end as year_ago_window_amount,

        cast(coalesce(per_customer.last_window_squares, 0) as decimal(38, 4)) as last_window_squares,
        cast(coalesce(per_customer.previous_window_squares, 0) as decimal(38, 4)) as previous_window_squares,
        case
            when observed.is_year_ago_observed then cast(coalesce(per_customer.year_ago_window_squares, 0) as decimal(38, 4))
        end as year_ago_window_squares
    from observed
    left join per_customer on observed.customer_id = per_customer.customer_id

),

final as (

    select
        *,
        -- What the customer spent at best in a window to compare with. greatest() skips nulls on both engines.
        greatest(previous_window_amount, year_ago_window_amount, 0) as baseline_amount
    from measured

)

select * from final
