{{ config(pre_hook="{{ ensure_source_table('prediction', 'expected_orders') }}") }}

with expected_orders as (

    select * from {{ source('prediction', 'expected_orders') }}

),

final as (

    select
        cast(frequency as bigint) as frequency,
        cast(age_days as integer) as age_days,
        cast(expected_orders as double) as expected_orders,
        cast(discounted_orders as double) as discounted_orders
    from expected_orders

)

select * from final
