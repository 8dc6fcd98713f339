-- What was chosen within a category: how dear, how good, how many, at how deep a discount. Everything is a sum of whole numbers,
-- so that sums are exact in any order of the rows, and nothing in a row depends on other customers: what is usual in a category
-- is the sum over this table, and the comparison is made in the features.
{{ config_roll_up() }}

with order_lines as (

    select * from {{ order_lines_to_read() }}
    where
        is_purchase_line
        and {{ is_refreshed() }}

),

-- Coded here, once per product, and not once per line.
products as (

    select
        product_id,
        {{ code_of('coalesce(category, department)') }} as category,
        quality_tier,
        is_private_label
    from {{ ref('stg_products') }}

),

limits as (

    select {{ days_before(as_of_date(), 'cast(' ~ threshold('category_affinity_window_days') ~ ' as integer)') }} as window_start

),

lines as (

    select
        order_lines.customer_id,
        products.category,
        products.quality_tier,
        products.is_private_label,
        order_lines.purchased_amount,
        order_lines.is_promoted_line,
        order_lines.units,
        order_lines.discount_amount + order_lines.coupon_amount as taken_off_amount,
        -- The price on the shelf: what was paid and what was taken off.
        order_lines.purchased_amount + order_lines.discount_amount + order_lines.coupon_amount as shelf_amount
    from order_lines
    inner join products on order_lines.product_id = products.product_id
    cross join limits
    where
        products.category not in {{ words_for_nothing() }}
        and order_lines.order_date >= limits.window_start

),

measured as (

    select
        customer_id,
        category,
        quality_tier,
        is_private_label,
        purchased_amount,
        is_promoted_line,
        case when units > 0 and shelf_amount > 0 then {{ ten_thousandths('ln(' ~ ratio('shelf_amount', 'units') ~ ')') }} end as log_price,
        case when units > 0 and shelf_amount > 0 then {{ ten_thousandths('ln(cast(units as double))') }} end as log_units,
        case
            when is_promoted_line and shelf_amount > 0 then {{ ten_thousandths(ratio('taken_off_amount', 'shelf_amount')) }}
        end as discount_depth
    from lines

),

final as (

    select
        customer_id,
        category,

        count(*) as purchase_lines,
        cast(sum(purchased_amount) as decimal(18, 2)) as purchased_amount,

        count(log_price) as priced_lines,
        cast(coalesce(sum(log_price), 0) as bigint) as log_price_sum,
        cast(coalesce(sum(log_units), 0) as bigint) as log_units_sum,

        count(*) filter (where quality_tier in ('budget', 'standard', 'premium')) as tiered_lines,
        count(*) filter (where quality_tier = 'premium') as premium_lines,
        count(*) filter (where quality_tier = 'budget') as budget_lines,
        count(is_private_label) as labelled_lines,
        count(*) filter (where is_private_label) as private_label_lines,

        count(discount_depth) as discounted_lines,
        cast(coalesce(sum(discount_depth), 0) as bigint) as discount_depth_sum
    from measured
    group by customer_id, category

)

select * from final
