{#- Where each month lies on the circle of the year: millionths of cosine and sine of (month - 1) × 30 degrees. -#}
{%- set cosines = [1000000, 866025, 500000, 0, -500000, -866025, -1000000, -866025, -500000, 0, 500000, 866025] -%}
{%- set sines = [0, 500000, 866025, 1000000, 866025, 500000, 0, -500000, -866025, -1000000, -866025, -500000] -%}

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
            {{ dbt.dateadd('month', '-cast(' ~ threshold('purchase_rhythm_season_months') ~ ' as integer)', dbt.date_trunc('month', as_of_date())) }}
            as date
        ) as season_start

),

months as (
    {% for cosine in cosines %}
    select
        {{ loop.index }} as month_of_year,
        {{ cosine }} as cosine,
        {{ sines[loop.index0] }} as sine
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

-- A purchase day opens its month, or its period, when the purchase day before it lies in an earlier one. So distinct months and
-- periods are counted without a second grouping.
placed as (

    select
        purchase_days.customer_id,
        purchase_days.order_date,
        extract(month from purchase_days.order_date) as month_of_year,
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

per_customer as (

    select
        placed.customer_id,
        min(placed.order_date) as first_order_date,
        count(*) filter (
            where placed.period < limits.periods and (placed.period_before is null or placed.period_before <> placed.period)
        ) as active_periods,
        count(*) filter (where placed.opens_month) as season_months,
        min(case when placed.order_date >= limits.season_start then placed.order_date end) as season_first_date,
        max(case when placed.order_date >= limits.season_start then placed.order_date end) as season_last_date,
        cast(sum(case when placed.opens_month then months.cosine else 0 end) as bigint) as cosine_sum,
        cast(sum(case when placed.opens_month then months.sine else 0 end) as bigint) as sine_sum
    from placed
    cross join limits
    inner join months on placed.month_of_year = months.month_of_year
    group by placed.customer_id

),

measured as (

    select
        *,
        {{ ten_thousandths('sqrt(cast(cosine_sum * cosine_sum + sine_sum * sine_sum as double)) / (1000000 * nullif(season_months, 0))') }}
            as concentration
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
        {{ days_between('measured.season_first_date', 'measured.season_last_date') }} as season_span_days,
        {{ ratio('measured.concentration', '10000') }} as season_concentration,
        {{ ratio('measured.season_months * measured.concentration * measured.concentration', '100000000') }} as season_evidence,
        -- The month that the middle of the season is nearest to.
        case
            when measured.concentration > 0
                then cast(floor(atan2(cast(measured.sine_sum as double), cast(measured.cosine_sum as double)) / (pi() / 6) + 12.5) as integer) % 12 + 1
        end as season_peak_month
    from customers
    cross join limits
    left join measured on customers.customer_id = measured.customer_id

)

select * from final
