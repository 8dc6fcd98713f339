{{ config(materialized='view') }}

with customer_days as (

    select * from {{ ref('int_customer_days') }}

),

samples as (

    select * from {{ ref('fit_samples') }}
    where sample = 'whole'

),

customers as (

    select
        samples.fit_day,
        customer_days.customer_id,
        {{ purchase_summary('true') }}
    from customer_days
    cross join samples
    where customer_days.order_date < samples.fit_day
    group by samples.fit_day, customer_days.customer_id

),

repeat_buyers as (

    select
        fit_day,
        purchase_days - 1 as frequency,
        {{ ratio('repeat_amount', 'purchase_days - 1') }} as mean_amount
    from customers
    where
        purchase_days > 1
        and repeat_amount > 0

),

-- Customers whose mean amounts lie within a thousandth of each other are one row: the number of rows does not grow with the customers.
final as (

    select
        fit_day,
        cast(frequency as bigint) as frequency,
        cast(floor(1000 * ln(mean_amount)) as integer) as amount_class,
        count(*) as customers,
        -- Sums of whole numbers and decimals: the same in any order of the rows.
        cast(sum(cast(mean_amount as decimal(28, 6))) as decimal(38, 6)) as amount_sum,
        cast(sum(cast(round(1000000 * ln(mean_amount), 0) as bigint)) as bigint) as millionths_of_log_sum
    from repeat_buyers
    group by fit_day, frequency, amount_class

)

select * from final
