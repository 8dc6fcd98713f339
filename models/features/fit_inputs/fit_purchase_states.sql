{{ config(materialized='view') }}

with customer_days as (

    select * from {{ ref('int_customer_days') }}

),

samples as (

    select * from {{ ref('fit_samples') }}

),

customers as (

    select
        samples.fit_day,
        samples.sample,
        samples.counted_until,
        customer_days.customer_id,
        {{ purchase_summary('customer_days.order_date < samples.counted_until') }},
        count(*) filter (where customer_days.purchase_orders > 0 and customer_days.order_date >= samples.counted_until) as holdout_purchases
    from customer_days
    cross join samples
    where customer_days.order_date < samples.fit_day
    group by samples.fit_day, samples.sample, samples.counted_until, customer_days.customer_id

),

final as (

    select
        fit_day,
        sample,
        cast(purchase_days - 1 as bigint) as frequency,
        {{ days_between('first_purchase_date', 'last_purchase_date') }} as recency_days,
        {{ days_between('first_purchase_date', 'counted_until') }} - 1 as age_days,
        count(*) as customers,
        cast(sum(holdout_purchases) as bigint) as holdout_purchases
    from customers
    where purchase_days > 0
    group by fit_day, sample, frequency, recency_days, age_days

)

select * from final
