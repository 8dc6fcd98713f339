with customers as (

    select * from {{ ref('int_customers') }}

),

orders as (

    select * from {{ ref('int_orders') }}
    where is_purchase

),

customer_categories as (

    select * from {{ ref('int_customer_categories') }}
    where purchased_amount > 0

),

-- What the range offers: of all that is sold in a category, how much goes under promotion.
-- In whole ten-thousandths, so that sums are exact.
categories as (

    select
        category,
        cast(floor({{ ratio('sum(promoted_amount)', 'sum(purchased_amount)') }} * 10000 + 0.5) as bigint) as offered_ten_thousandths
    from customer_categories
    group by category

),

expected as (

    select
        customer_categories.customer_id,
        cast(sum(customer_categories.purchase_lines) as bigint) as purchase_lines,
        {{ ratio(
            'sum(cast(100 * customer_categories.purchased_amount as bigint) * categories.offered_ten_thousandths)',
            'sum(cast(100 * customer_categories.purchased_amount as bigint)) * 10000'
        ) }} as expected_promoted_share
    from customer_categories
    inner join categories on customer_categories.category = categories.category
    group by customer_categories.customer_id

),

per_customer as (

    select
        customer_id,
        count(*) as order_count,
        count(*) filter (where is_promoted) as promoted_order_count,
        count(*) filter (where has_coupon) as coupon_order_count,
        sum(gross_amount) as gross_amount,
        sum(promoted_amount) as promoted_amount,
        sum(discount_amount) as discount_amount,
        sum(coupon_amount) as coupon_amount
    from orders
    group by customer_id

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        coalesce(per_customer.promoted_order_count, 0) as promoted_order_count,
        coalesce(per_customer.coupon_order_count, 0) as coupon_order_count,
        cast(coalesce(per_customer.promoted_amount, 0) as decimal(18, 2)) as promoted_amount,
        cast(coalesce(per_customer.discount_amount, 0) as decimal(18, 2)) as discount_amount,
        cast(coalesce(per_customer.coupon_amount, 0) as decimal(18, 2)) as coupon_amount,

        {{ ratio('per_customer.promoted_amount', 'per_customer.gross_amount') }} as promoted_spend_share,
        {{ ratio('per_customer.promoted_order_count', 'per_customer.order_count') }} as promoted_order_share,
        expected.expected_promoted_share,
        coalesce(expected.purchase_lines, 0) as promotion_lines,
        {{ ratio(
            ratio('per_customer.promoted_amount', 'per_customer.gross_amount'),
            'expected.expected_promoted_share'
        ) }} as promotion_index
    from customers
    left join per_customer on customers.customer_id = per_customer.customer_id
    left join expected on customers.customer_id = expected.customer_id

)

select * from final
