with customers as (

    select * from {{ ref('int_customers') }}

),

order_totals as (

    select
        customer_id,
        first_order_date
    from {{ ref('int_customer_order_totals') }}

),

seasons as (

    select * from {{ ref('int_customer_seasons') }}

),

limits as (

    select
        cast({{ threshold('purchase_rhythm_period_days') }} as integer) as period_days,
        cast({{ threshold('purchase_rhythm_periods') }} as integer) as periods

),

measured as (

    select
        *,
        {{ ten_thousandths('sqrt(cast(cosine_sum * cosine_sum + sine_sum * sine_sum as double)) / (10000 * nullif(season_months, 0))') }}
            as concentration,
        atan2(cast(sine_sum as double), cast(cosine_sum as double)) as direction
    from seasons

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        -- least() skips nulls: without a purchase nothing is observed.
        case
            when order_totals.first_order_date is not null
                then
                    cast(least(
                        limits.periods,
                        ceil({{ days_between('order_totals.first_order_date', 'customers.as_of_date') }} / cast(limits.period_days as double))
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
    left join order_totals on customers.customer_id = order_totals.customer_id
    left join measured on customers.customer_id = measured.customer_id

)

select * from final
