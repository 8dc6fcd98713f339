with days as (

    select * from {{ ref('segment_days') }}
    where as_of_date <= {{ as_of_date() }}

),

final as (

    select
        as_of_date,
        segmentation,
        segment,
        customers,
        share,
        active_customers,
        active_before_customers,
        retained_customers,
        retention_rate,
        repeat_purchase_rate,
        orders,
        orders_per_customer,
        average_order_value,
        revenue,
        revenue_share,
        margin,
        margin_rate,
        promotion_share,
        contacted_customers,
        campaign_response_rate,
        campaign_conversion_rate,
        campaign_cost,
        campaign_revenue,
        campaign_return,
        satisfaction,
        points_redeemed
    from days

)

select * from final
