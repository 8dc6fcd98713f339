{{ config_roll_up() }}

with purchase_days as (

    select * from {{ ref('int_customer_days') }}
    where
        purchase_orders > 0
        and {{ is_refreshed() }}

),

calendar as (

    select * from {{ ref('int_holiday_calendar') }}
    where is_covered

),

addresses as (

    select
        customer_id,
        {{ holiday_country('country') }} as holiday_country
    from {{ ref('stg_customers') }}
    where {{ is_refreshed() }}

),

limits as (

    select {{ days_before(as_of_date(), 'cast(' ~ threshold('holiday_buying_window_days') ~ ' as integer)') }} as window_start

),

-- Days without a calendar are left out at the end: with an inner join DuckDB would first join each day with the calendars of all countries.
final as (

    select
        purchase_days.customer_id,
        count(calendar.calendar_date) as observed_purchase_days,
        count(*) filter (where calendar.holiday is not null) as holiday_purchase_days,
        count(distinct calendar.window_start) as holidays_bought_in,
        cast(
            sum(case when calendar.calendar_date is not null then greatest(purchase_days.net_amount, 0) else 0 end) as decimal(18, 2)
        ) as observed_amount,
        cast(
            sum(case when calendar.holiday is not null then greatest(purchase_days.net_amount, 0) else 0 end) as decimal(18, 2)
        ) as holiday_amount
    from purchase_days
    cross join limits
    inner join addresses on purchase_days.customer_id = addresses.customer_id
    left join calendar
        on
            addresses.holiday_country = calendar.country
            and purchase_days.order_date = calendar.calendar_date
    where purchase_days.order_date >= limits.window_start
    group by purchase_days.customer_id
    having count(calendar.calendar_date) > 0

)

select * from final
