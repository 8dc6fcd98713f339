with customers as (

    select * from {{ ref('int_customers') }}

),

order_totals as (

    select
        customer_id,
        first_order_date
    from {{ ref('int_customer_order_totals') }}

),

per_customer as (

    select * from {{ ref('int_customer_holidays') }}

),

calendar as (

    select * from {{ ref('int_holiday_calendar') }}

),

limits as (

    select {{ days_before(as_of_date(), 'cast(' ~ threshold('holiday_buying_window_days') ~ ' as integer)') }} as window_start

),

addresses as (

    select
        customer_id,
        {{ holiday_country('country') }} as holiday_country
    from {{ ref('stg_customers') }}

),

-- The first day of which anything is known, for anybody.
history as (

    select min(first_order_date) as history_start
    from order_totals

),

covered as (

    select
        country,
        min(calendar_date) as covered_from,
        max(calendar_date) as covered_to
    from calendar
    group by country

),

-- From when the customer could have bought, and we would have seen it.
observed as (

    select
        customers.customer_id,
        customers.as_of_date,
        addresses.holiday_country,
        greatest(customers.customer_since_date, history.history_start, limits.window_start, covered.covered_from) as observed_from,
        least(customers.as_of_date, covered.covered_to) as observed_to
    from customers
    cross join history
    cross join limits
    left join addresses on customers.customer_id = addresses.customer_id
    left join covered on addresses.holiday_country = covered.country

),

periods as (

    select
        observed.customer_id,
        observed.as_of_date,
        observed.holiday_country,
        observed.observed_from,
        period_end.covered_days_before - period_start.covered_days_before as observed_days,
        period_end.holiday_days_before - period_start.holiday_days_before as holiday_days
    from observed
    left join calendar as period_start
        on observed.holiday_country = period_start.country and observed.observed_from = period_start.calendar_date
    left join calendar as period_end
        on observed.holiday_country = period_end.country and observed.observed_to = period_end.calendar_date

),

final as (

    select
        periods.customer_id,
        periods.as_of_date,

        periods.holiday_country,
        coalesce(periods.observed_days, 0) as observed_days,
        coalesce(periods.holiday_days, 0) as holiday_days,
        coalesce(per_customer.observed_purchase_days, 0) as observed_purchase_days,
        coalesce(per_customer.holiday_purchase_days, 0) as holiday_purchase_days,
        coalesce(per_customer.holidays_bought_in, 0) as holidays_bought_in,
        cast(coalesce(per_customer.observed_amount, 0) as decimal(18, 2)) as observed_amount,
        cast(coalesce(per_customer.holiday_amount, 0) as decimal(18, 2)) as holiday_amount,

        {{ ratio('periods.holiday_days', 'periods.observed_days') }} as holiday_day_share,
        {{ ratio('per_customer.holiday_amount', 'per_customer.observed_amount') }} as holiday_spend_share,
        {{ ratio('per_customer.holiday_purchase_days', 'per_customer.observed_purchase_days') }} as holiday_purchase_day_share,
        {{ ratio(
            ratio('per_customer.holiday_amount', 'per_customer.observed_amount'),
            ratio('periods.holiday_days', 'periods.observed_days')
        ) }} as holiday_lift
    from periods
    left join per_customer on periods.customer_id = per_customer.customer_id

)

select * from final
