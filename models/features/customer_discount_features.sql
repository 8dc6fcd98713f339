with customers as (

    select * from {{ ref('int_customers') }}

),

choices as {{ inlined() }} (

    select * from {{ ref('int_customer_category_choices') }}

),

limits as (

    select cast({{ threshold('price_sensitivity_usual_lines') }} as integer) as usual_lines

),

-- How often the range of a category was bought under a discount, over all lines sold.
offered as (

    select
        category,
        {{ ten_thousandths(ratio('sum(discounted_lines)', 'sum(purchase_lines)')) }} as discounted_share
    from choices
    group by category

),

-- How deep discounts go in a category: the mean over customers of each one's mean. Every customer counts once, or the heaviest
-- hunters of discounts would set the mark that all are measured by.
usual as (

    select
        category,
        {{ ten_thousandths(ratio(
            'sum(' ~ ten_thousandths(ratio('discount_depth_sum', '10000 * discounted_lines')) ~ ')',
            '10000 * cast(count(*) as double)'
        )) }} as discount_depth
    from choices
    where discounted_lines > 0
    group by category

),

per_customer as (

    select
        choices.customer_id,
        cast(sum(case when offered.discounted_share > 0 then choices.purchase_lines else 0 end) as bigint) as discountable_lines,
        cast(sum(choices.discounted_lines) as bigint) as discounted_lines,
        sum(choices.purchase_lines * offered.discounted_share) as expected_discounted_lines,
        sum(choices.discount_depth_sum) as discount_depth_sum,
        sum(choices.discounted_lines * coalesce(usual.discount_depth, 0)) as expected_depth_sum
    from choices
    inner join offered on choices.category = offered.category
    left join usual on choices.category = usual.category
    group by choices.customer_id

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        coalesce(per_customer.discountable_lines, 0) as discountable_lines,
        coalesce(per_customer.discounted_lines, 0) as discounted_lines,
        coalesce({{ ratio('per_customer.expected_discounted_lines', '10000') }}, 0) as expected_discounted_lines,
        {{ ratio('per_customer.discount_depth_sum', '10000 * per_customer.discounted_lines') }} as discount_depth,
        {{ ratio('per_customer.expected_depth_sum', '10000 * per_customer.discounted_lines') }} as expected_discount_depth,
        -- As if some lines at the usual depth had been bought as well: few lines say little.
        1 + {{ ratio('per_customer.discount_depth_sum - per_customer.expected_depth_sum', 'per_customer.expected_depth_sum') }}
        * {{ ratio('per_customer.discounted_lines', 'per_customer.discounted_lines + limits.usual_lines') }} as discount_depth_index
    from customers
    cross join limits
    left join per_customer on customers.customer_id = per_customer.customer_id

)

select * from final
