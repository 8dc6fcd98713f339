with customers as (

    select * from {{ ref('int_customers') }}

),

purchase_days as (

    select * from {{ ref('int_customer_days') }}
    where purchase_orders > 0

),

limits as (

    select
        cast({{ threshold('purchase_rhythm_period_days') }} as integer) as period_days,
        cast({{ threshold('purchase_rhythm_periods') }} as integer) as periods,
        -- Whole months, so that the first of them is not cut.
        cast(
            {{ dbt.dateadd(
                'month',
                '-cast(' ~ threshold('purchase_rhythm_season_months') ~ ' as integer)',
                dbt.date_trunc('month', as_of_date())
            ) }}
            as date
        ) as season_start

),

-- A purchase day opens its month, or its period, when the purchase day before it lies in an earlier one. So distinct months and
-- periods are counted without a second grouping.
placed as (

    select
        purchase_days.customer_id,
        purchase_days.order_date,
        -- Where the month lies on the circle of the year.
        (extract(month from purchase_days.order_date) - 1) * pi() / 6 as month_angle,
        purchase_days.order_date >= limits.season_start
        and (purchase_days.gap_days is null or purchase_days.gap_days >= extract(day from purchase_days.order_date)) as opens_month,
        cast(floor(
            ({{ days_between('purchase_days.order_date', as_of_date()) }} - 1) / cast(limits.period_days as double)
        ) as integer) as period,
        cast(floor(
            ({{ days_between('purchase_days.order_date', as_of_date()) }} - 1 + purchase_days.gap_days) / cast(limits.period_days as double)
        ) as integer) as period_before
    from purchase_days
    cross join limits

),

-- In whole ten-thousandths, so that sums are exact.
directed as (

    select
        *,
        case when opens_month then {{ ten_thousandths('cos(month_angle)') }} else 0 end as cosine,
        case when opens_month then {{ ten_thousandths('sin(month_angle)') }} else 0 end as sine
    from placed

),

per_customer as (

    select
        directed.customer_id,
        min(directed.order_date) as first_order_date,
        count(*) filter (
            where directed.period < limits.periods and (directed.period_before is null or directed.period_before <> directed.period)
        ) as active_periods,
        count(*) filter (where directed.opens_month) as season_months,
        count(*) filter (where directed.order_date >= limits.season_start) as season_days,
        min(case when directed.order_date >= limits.season_start then directed.order_date end) as season_first_date,
        max(case when directed.order_date >= limits.season_start then directed.order_date end) as season_last_date,
        cast(sum(directed.cosine) as bigint) as cosine_sum,
        cast(sum(directed.sine) as bigint) as sine_sum
    from directed
    cross join limits
    group by directed.customer_id

),

measured as (

    select
        *,
        {{ ten_thousandths('sqrt(cast(cosine_sum * cosine_sum + sine_sum * sine_sum as double)) / (10000 * nullif(season_months, 0))') }}
            as concentration,
        atan2(cast(sine_sum as double), cast(cosine_sum as double)) as direction
    from per_customer

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        -- least() skips nulls: without a purchase nothing is observed.
        case
            when measured.first_order_date is not null
                then
                    cast(least(
                        limits.periods,
                        ceil({{ days_between('measured.first_order_date', 'customers.as_of_date') }} / cast(limits.period_days as double))
                    ) as integer)
        end as observed_periods,
        coalesce(measured.active_periods, 0) as active_periods,

        coalesce(measured.season_months, 0) as season_months,
        coalesce(measured.season_days, 0) as season_days,
        {{ days_between('measured.season_first_date', 'measured.season_last_date') }} as season_span_days,
        {{ ratio('measured.concentration', '10000') }} as season_concentration,
        {{ ratio('measured.season_months * measured.concentration * measured.concentration', '100000000') }} as season_evidence,
        -- The month that the middle of the season is nearest to.
        case
            when measured.concentration > 0
                then cast(floor(measured.direction / (pi() / 6) + 12.5) as integer) % 12 + 1
        end as season_peak_month
    from customers
    cross join limits
    left join measured on customers.customer_id = measured.customer_id

)

select * from final
