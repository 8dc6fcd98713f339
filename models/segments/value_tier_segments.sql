with lifetime_values as (

    select * from {{ ref('customer_lifetime_values') }}

),

cut_points as (

    select
        max(case when cut = 1 then value end) as medium_value,
        max(case when cut = 2 then value end) as high_value,
        max(case when cut = 3 then value end) as top_value
    from {{ ref('value_tier_cut_points') }}

),

final as (

    select
        lifetime_values.customer_id,
        lifetime_values.as_of_date,
        case
            when lifetime_values.customer_lifetime_value is null then 'none'
            when lifetime_values.customer_lifetime_value > cut_points.top_value then 'top'
            when lifetime_values.customer_lifetime_value > cut_points.high_value then 'high'
            when lifetime_values.customer_lifetime_value > cut_points.medium_value then 'medium'
            else 'low'
        end as segment,
        lifetime_values.customer_lifetime_value,
        lifetime_values.expected_orders,
        lifetime_values.expected_order_value,
        lifetime_values.earlier_lifetime_value,
        lifetime_values.lifetime_value_trend
    from lifetime_values
    cross join cut_points

)

select * from final
