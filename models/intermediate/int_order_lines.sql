-- A view: every reader takes a few of these columns, and writing all lines a second time would cost more than it saves.
-- The category of the product is joined where it is needed (int_customer_categories), because engines do not drop an unused join.
{{ config(materialized='view') }}

with transactions as (

    select * from {{ ref('stg_transactions') }}

),

counted as (

    select
        *,
        case when status = 'returned' then -abs(amount) else amount end as signed_amount,
        status <> 'returned' and amount >= 0 as is_purchase_line,
        coalesce(discount_amount, 0) > 0 or coalesce(coupon_amount, 0) > 0 as has_promotion
    from transactions
    where
        status <> 'cancelled'
        and order_date < {{ as_of_date() }}

),

final as (

    select
        order_id,
        line_id,
        customer_id,
        product_id,

        ordered_at,
        order_date,
        store_id,
        channel,
        payment_method,

        is_purchase_line,
        is_purchase_line and has_promotion as is_promoted_line,
        is_purchase_line and coalesce(coupon_amount, 0) > 0 as is_coupon_line,

        signed_amount as net_amount,
        case when is_purchase_line then amount else 0 end as purchased_amount,
        case when is_purchase_line then 0 else -signed_amount end as returned_amount,
        case when is_purchase_line and has_promotion then amount else 0 end as promoted_amount,
        case when is_purchase_line then coalesce(discount_amount, 0) else 0 end as discount_amount,
        case when is_purchase_line then coalesce(coupon_amount, 0) else 0 end as coupon_amount,

        -- What is taken back takes its cost and its units back with it.
        case when is_purchase_line then cost_amount else -abs(cost_amount) end as cost_amount,
        case when cost_amount is not null then signed_amount else 0 end as costed_amount,
        case when is_purchase_line then coalesce(quantity, 0) else -abs(coalesce(quantity, 0)) end as units
    from counted

)

select * from final
