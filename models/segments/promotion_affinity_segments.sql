with orders as (

    select * from {{ ref('customer_order_features') }}

),

promotion as (

    select * from {{ ref('customer_promotion_features') }}

),

limits as (

    select
        {{ threshold('promotion_minimum_orders') }} as minimum_orders,
        {{ threshold('promotion_driven_index') }} as driven_index,
        {{ threshold('promotion_driven_order_share') }} as driven_order_share,
        {{ threshold('promotion_full_price_index') }} as full_price_index

),

final as (

    select
        orders.customer_id,
        orders.as_of_date,
        case
            when orders.order_count < limits.minimum_orders then 'unknown'
            -- No index: nothing paid, or nothing of what was bought is ever promoted, or the source knows no discounts at all.
            when promotion.promotion_index is null then 'unknown'
            when
                promotion.promotion_index >= limits.driven_index
                and promotion.promoted_order_share >= limits.driven_order_share
                then 'promotion_driven'
            when
                promotion.promotion_index <= limits.full_price_index
                and promotion.promoted_order_share < limits.driven_order_share
                then 'full_price'
            else 'mixed'
        end as segment,
        orders.order_count,
        promotion.promoted_spend_share,
        promotion.promoted_order_share,
        promotion.expected_promoted_share,
        promotion.promotion_index
    from orders
    inner join promotion on orders.customer_id = promotion.customer_id
    cross join limits

)

select * from final
