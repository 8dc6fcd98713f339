with discounts as (

    select * from {{ ref('customer_discount_features') }}

),

limits as (

    select
        {{ threshold('price_sensitivity_minimum_discounted_lines') }} as minimum_discounted_lines,
        {{ threshold('price_sensitivity_high_index') }} as high_index,
        {{ threshold('price_sensitivity_low_index') }} as low_index,
        {{ threshold('price_sensitivity_minimum_offered_lines') }} as minimum_offered_lines,
        {{ threshold('price_sensitivity_ignored_share') }} as ignored_share

),

final as (

    select
        discounts.customer_id,
        discounts.as_of_date,
        case
            -- Discounts were there for others in the same categories, and left this customer cold.
            when
                discounts.expected_discounted_lines >= limits.minimum_offered_lines
                and discounts.discounted_lines <= limits.ignored_share * discounts.expected_discounted_lines
                then 'low'
            when
                discounts.discounted_lines < limits.minimum_discounted_lines
                or discounts.discount_depth_index is null
                then 'unknown'
            when discounts.discount_depth_index >= limits.high_index then 'high'
            when discounts.discount_depth_index <= limits.low_index then 'low'
            else 'medium'
        end as segment,
        discounts.discountable_lines,
        discounts.discounted_lines,
        discounts.expected_discounted_lines,
        discounts.discount_depth,
        discounts.expected_discount_depth,
        discounts.discount_depth_index
    from discounts
    cross join limits

)

select * from final
