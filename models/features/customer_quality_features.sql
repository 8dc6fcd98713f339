with customers as (

    select * from {{ ref('int_customers') }}

),

choices as {{ inlined() }} (

    select * from {{ ref('int_customer_category_choices') }}

),

limits as (

    select cast({{ threshold('quality_preference_usual_lines') }} as integer) as usual_lines

),

-- What is usual in each category, over everybody; in whole ten-thousandths, so that the sums below are exact.
usual as (

    select
        category,
        {{ ten_thousandths(ratio('sum(log_price_sum)', '10000 * cast(sum(priced_lines) as double)')) }} as log_price,
        {{ ten_thousandths(ratio('sum(log_units_sum)', '10000 * cast(sum(priced_lines) as double)')) }} as log_units,
        {{ ten_thousandths(ratio('sum(premium_lines) - sum(budget_lines)', 'sum(tiered_lines)')) }} as tier_balance,
        {{ ten_thousandths(ratio('sum(private_label_lines)', 'sum(labelled_lines)')) }} as private_label_share
    from choices
    group by category

),

-- Each line is compared with its own category; the categories count as they are bought.
per_customer as (

    select
        choices.customer_id,

        cast(sum(choices.priced_lines) as bigint) as priced_lines,
        sum(choices.log_price_sum - choices.priced_lines * coalesce(usual.log_price, 0)) as log_price_excess,
        sum(choices.log_units_sum - choices.priced_lines * coalesce(usual.log_units, 0)) as log_units_excess,

        cast(sum(choices.tiered_lines) as bigint) as tiered_lines,
        sum(choices.premium_lines) as premium_lines,
        sum(choices.budget_lines) as budget_lines,
        sum(choices.tiered_lines * coalesce(usual.tier_balance, 0)) as expected_tier_balance,

        cast(sum(choices.labelled_lines) as bigint) as labelled_lines,
        sum(choices.private_label_lines) as private_label_lines,
        sum(choices.labelled_lines * coalesce(usual.private_label_share, 0)) as expected_private_label
    from choices
    inner join usual on choices.category = usual.category
    group by choices.customer_id

),

-- As if some lines of the usual kind had been bought as well: one dear bottle says little and twenty say nearly all.
leaning as (

    select
        per_customer.*,
        10000 * (nullif(per_customer.priced_lines, 0) + limits.usual_lines) as price_weight,
        10000 * (nullif(per_customer.tiered_lines, 0) + limits.usual_lines) as tier_weight,
        10000 * (nullif(per_customer.labelled_lines, 0) + limits.usual_lines) as label_weight
    from per_customer
    cross join limits

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        coalesce(leaning.priced_lines, 0) as priced_lines,
        {{ rounded('exp(' ~ ratio('leaning.log_price_excess', 'leaning.price_weight') ~ ')') }} as unit_price_index,
        {{ rounded('exp(' ~ ratio('leaning.log_units_excess', 'leaning.price_weight') ~ ')') }} as units_index,

        coalesce(leaning.tiered_lines, 0) as tiered_lines,
        {{ ratio('leaning.premium_lines', 'leaning.tiered_lines') }} as premium_share,
        {{ ratio('leaning.budget_lines', 'leaning.tiered_lines') }} as budget_share,
        {{ ratio(
            '10000 * (leaning.premium_lines - leaning.budget_lines) - leaning.expected_tier_balance',
            'leaning.tier_weight'
        ) }} as tier_excess,

        coalesce(leaning.labelled_lines, 0) as labelled_lines,
        {{ ratio('leaning.private_label_lines', 'leaning.labelled_lines') }} as private_label_share,
        {{ ratio('10000 * leaning.private_label_lines - leaning.expected_private_label', 'leaning.label_weight') }} as private_label_excess
    from customers
    left join leaning on customers.customer_id = leaning.customer_id

)

select * from final
