with customers as (

    select * from {{ ref('int_customers') }}

),

order_totals as (

    select * from {{ ref('int_customer_order_totals') }}

),

customer_categories as {{ inlined() }} (

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

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        coalesce(order_totals.promoted_order_count, 0) as promoted_order_count,
        coalesce(order_totals.coupon_order_count, 0) as coupon_order_count,
        cast(coalesce(order_totals.promoted_amount, 0) as decimal(18, 2)) as promoted_amount,
        cast(coalesce(order_totals.discount_amount, 0) as decimal(18, 2)) as discount_amount,
        cast(coalesce(order_totals.coupon_amount, 0) as decimal(18, 2)) as coupon_amount,

        {{ ratio('order_totals.promoted_amount', 'order_totals.gross_amount') }} as promoted_spend_share,
        {{ ratio('order_totals.promoted_order_count', 'order_totals.order_count') }} as promoted_order_share,
        expected.expected_promoted_share,
        coalesce(expected.purchase_lines, 0) as promotion_lines,
        {{ ratio(
            ratio('order_totals.promoted_amount', 'order_totals.gross_amount'),
            'expected.expected_promoted_share'
        ) }} as promotion_index
    from customers
    left join order_totals on customers.customer_id = order_totals.customer_id
    left join expected on customers.customer_id = expected.customer_id

)

select * from final
