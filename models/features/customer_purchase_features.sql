-- A view: one model reads it, and it is little more than a join.
{{ config(materialized='view') }}

with customers as (

    select * from {{ ref('int_customers') }}

),

purchases as (

    select * from {{ ref('int_customer_purchases') }}

),

earlier as (

    select {{ days_before(as_of_date(), days_of('lifetime_value_trend_days')) }} as earlier_date

),

-- Time as the literature counts it: from the first purchase to the last observed day, which is the day before the one described.
final as (

    select
        customers.customer_id,
        customers.as_of_date,

        cast(purchases.purchase_days - 1 as bigint) as frequency,
        {{ days_between('purchases.first_purchase_date', 'purchases.last_purchase_date') }} as recency_days,
        {{ days_between('purchases.first_purchase_date', 'customers.as_of_date') }} - 1 as age_days,
        cast(purchases.repeat_amount as decimal(18, 2)) as repeat_amount,
        {{ mean_to_cents('purchases.repeat_amount', '(purchases.purchase_days - 1)') }} as monetary_value,

        earlier.earlier_date,
        case when purchases.earlier_purchase_days > 0 then cast(purchases.earlier_purchase_days - 1 as bigint) end as earlier_frequency,
        case
            when purchases.earlier_purchase_days > 0
                then {{ days_between('purchases.first_purchase_date', 'purchases.earlier_last_purchase_date') }}
        end as earlier_recency_days,
        case
            when purchases.earlier_purchase_days > 0 then {{ days_between('purchases.first_purchase_date', 'earlier.earlier_date') }} - 1
        end as earlier_age_days,
        case
            when purchases.earlier_purchase_days > 0
                then {{ mean_to_cents('purchases.earlier_repeat_amount', '(purchases.earlier_purchase_days - 1)') }}
        end as earlier_monetary_value
    from customers
    cross join earlier
    left join purchases on customers.customer_id = purchases.customer_id

)

select * from final
