with

base as (
    select * from {{ ref('base_transactions') }}
),

final as (
    select
        order_id,
        line_id,
        customer_id,
        ordered_at,
        amount,
        product_id,
        quantity,
        discount_amount,
        coupon_amount,
        cost_amount,
        store_id,
        channel,
        payment_method,
        status,
        currency,
        updated_at,
        order_date
    from base
    where row_status = 'used'
)

select * from final
