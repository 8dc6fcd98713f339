with transactions as (
    select * from '{{ source }}/transactions.parquet'
),

-- Fuel is sold in thousandths of a gallon: its quantities run to 89,638 and are not pieces. Every quantity above 1,000 is fuel.
fuel as (
    select product_id
    from '{{ source }}/products.parquet'
    where product_type = 'GASOLINE-REG UNLEADED'
),

final as (
    select
        basket_id as order_id,
        -- A product stands at most once in a basket, so it names the line, wherever the line is in the file.
        product_id as line_id,
        household_id as customer_id,
        transaction_timestamp as ordered_at,
        sales_value as amount,
        product_id,
        case when product_id not in (select fuel.product_id from fuel) then quantity end as quantity,
        -- The loyalty card's discount.
        retail_disc as discount_amount,
        -- The manufacturer's coupon, and what the retailer adds to it.
        coupon_disc + coupon_match_disc as coupon_amount,
        store_id
    from transactions
)

select * from final
