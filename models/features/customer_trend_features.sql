with customers as (

    select * from {{ ref('int_customers') }}

),

order_totals as (

    select
        customer_id,
        first_day
    from {{ ref('int_customer_order_totals') }}

),

per_customer as (

    select * from {{ ref('int_customer_trend') }}

),

limits as (

    select
        cast({{ threshold('trend_window_days') }} as integer) as window_days,
        cast({{ threshold('trend_year_days') }} as integer) as year_days

),

windows as (

    select
        {{ days_before(as_of_date(), '2 * window_days') }} as previous_start,
        {{ days_before(as_of_date(), 'year_days + window_days') }} as year_ago_start
    from limits

),

-- The first day of which anything is known: a window before it was not observed, for anybody.
history as (

    select min(first_day) as history_start
    from order_totals

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
