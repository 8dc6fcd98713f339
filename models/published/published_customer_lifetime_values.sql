-- Published as customer_lifetime_values; in dbt that name is the working table's.
{{ config(alias='customer_lifetime_values') }}

with final as (

    select
        customer_id,
        as_of_date,
        frequency,
        recency_days,
        age_days,
        monetary_value,
        probability_alive,
        expected_orders,
        expected_order_value,
        customer_lifetime_value,
        horizon_days,
        earlier_date,
        earlier_lifetime_value,
        lifetime_value_trend
    from {{ ref('customer_lifetime_values') }}

)

select * from final
