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
        {{ threshold('promotion_full_price_index') }} as full_price_index,
        {{ threshold('promotion_usual_lines') }} as usual_lines

),

-- As if some lines under promotion as often as expected had been bought as well: few lines say little.
leaning as (

    select
        promotion.*,
        {{ rounded(
            '1 + (promotion.promotion_index - 1) * ' ~ ratio('promotion.promotion_lines', 'promotion.promotion_lines + limits.usual_lines')
        ) }} as leaning_index
    from promotion
    cross join limits

),

final as (

    select
        orders.customer_id,
        orders.as_of_date,
        case
            when orders.order_count < limits.minimum_orders then 'unknown'
            -- No index: nothing paid, or nothing of what was bought is ever promoted, or the source knows no discounts at all.
            when leaning.promotion_index is null then 'unknown'
            when
                leaning.leaning_index >= limits.driven_index
                and leaning.promoted_order_share >= limits.driven_order_share
                then 'promotion_driven'
            when
                leaning.leaning_index <= limits.full_price_index
                and leaning.promoted_order_share < limits.driven_order_share
                then 'full_price'
            else 'mixed'
        end as segment,
        orders.order_count,
        leaning.promoted_spend_share,
        leaning.promoted_order_share,
        leaning.expected_promoted_share,
        leaning.promotion_index,
        leaning.promotion_lines,
        leaning.leaning_index
    from orders
    inner join leaning on orders.customer_id = leaning.customer_id
    cross join limits

)

select * from final
