{{ config_roll_up() }}

with customer_days as (

    select * from {{ ref('int_customer_days') }}
    where {{ is_refreshed() }}

),

earlier as (

    select {{ days_before(as_of_date(), days_of('lifetime_value_trend_days')) }} as earlier_date

),

summed as (

    select
        customer_days.customer_id,
        {{ purchase_summary('true') }},
        {{ purchase_summary('customer_days.order_date < earlier.earlier_date', 'earlier_') }}
    from customer_days
    cross join earlier
    group by customer_days.customer_id

),

final as (

    select
        customer_id,
        first_purchase_date,
        last_purchase_date,
        purchase_days,
        repeat_amount,
        earlier_last_purchase_date,
        earlier_purchase_days,
        earlier_repeat_amount
    from summed
    where purchase_days > 0

)

select * from final
