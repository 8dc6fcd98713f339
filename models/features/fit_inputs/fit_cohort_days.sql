{{ config(materialized='view') }}

with customer_days as {{ inlined() }} (

    select * from {{ ref('int_customer_days') }}
    where purchase_orders > 0

),

samples as (

    select * from {{ ref('fit_samples') }}
    where sample = 'calibration'

),

first_purchases as (

    select
        customer_id,
        order_date as first_purchase_date
    from customer_days
    where gap_days is null

),

final as (

    select
        samples.fit_day,
        {{ days_between('samples.first_purchase_date', 'customer_days.order_date') }} as day_number,
        count(*) filter (where customer_days.gap_days is null) as first_purchases,
        count(*) filter (where customer_days.gap_days is not null) as repeat_purchases
    from customer_days
    inner join first_purchases on customer_days.customer_id = first_purchases.customer_id
    cross join samples
    where
        customer_days.order_date < samples.fit_day
        and first_purchases.first_purchase_date < samples.counted_until
    group by samples.fit_day, day_number

)

select * from final
