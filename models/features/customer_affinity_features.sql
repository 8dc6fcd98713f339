with customers as (

    select * from {{ ref('int_customers') }}

),

choices as {{ inlined() }} (

    select * from {{ ref('int_customer_category_choices') }}

),

limits as (

    select
        {{ threshold('category_affinity_minimum_population_share') }} as minimum_population_share,
        {{ threshold('category_affinity_minimum_category_lines') }} as minimum_category_lines

),

per_customer as (

    select
        customer_id,
        cast(sum(purchase_lines) as bigint) as categorised_lines,
        count(*) as bought_categories,
        sum(purchased_amount) as categorised_amount
    from choices
    group by customer_id

),

population as (

    select
        category,
        sum(purchased_amount) as category_amount,
        sum(purchase_lines) as category_lines
    from choices
    group by category

),

total as (

    select
        sum(category_amount) as total_amount,
        sum(category_lines) as total_lines
    from population

),

-- A category that hardly anybody spends on would lead for whoever bought it twice, and name a segment of a handful of customers.
eligible as (

    select
        population.category,
        {{ ratio('population.category_amount', 'total.total_amount') }} as population_share,
        {{ ratio('population.category_lines', 'total.total_lines') }} as population_line_share,
        row_number() over (order by population.category desc) as name_rank
    from population
    cross join total
    cross join limits
    where population.category_amount >= limits.minimum_population_share * total.total_amount

),

compared as (

    select
        choices.customer_id,
        choices.category,
        choices.purchase_lines,
        eligible.name_rank,
        eligible.population_share,
        eligible.population_line_share,
        per_customer.categorised_lines,
        {{ ratio('choices.purchased_amount', 'per_customer.categorised_amount') }} as spend_share
    from choices
    cross join limits
    inner join per_customer on choices.customer_id = per_customer.customer_id
    inner join eligible on choices.category = eligible.category
    where
        choices.purchase_lines >= limits.minimum_category_lines
        and choices.purchased_amount > 0
        and eligible.population_line_share < 1

),

-- How many lines more than if the customer bought as everybody does, in standard deviations of chance. Lines and not money: ten lines
-- are ten choices, a dear article is one.
judged as (

    select
        customer_id,
        category,
        purchase_lines,
        name_rank,
        population_share,
        spend_share,
        {{ ten_thousandths(
            '(purchase_lines - categorised_lines * population_line_share)'
            ~ ' / sqrt(categorised_lines * population_line_share * (1 - population_line_share))'
        ) }} as evidence
    from compared

),

-- The category of the strongest evidence; of equals the first by name. Evidence and name in one whole number, so that ties cannot wobble.
leaders as (

    select
        customer_id,
        max_by(category, evidence * 100000 + name_rank) as affinity_category,
        max_by(purchase_lines, evidence * 100000 + name_rank) as affinity_lines,
        max_by(spend_share, evidence * 100000 + name_rank) as affinity_spend_share,
        max_by(population_share, evidence * 100000 + name_rank) as affinity_population_share,
        max(evidence) as evidence
    from judged
    group by customer_id

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        coalesce(per_customer.categorised_lines, 0) as categorised_lines,
        coalesce(per_customer.bought_categories, 0) as bought_categories,
        leaders.affinity_category,
        leaders.affinity_lines,
        leaders.affinity_spend_share,
        leaders.affinity_population_share,
        {{ ratio('leaders.affinity_spend_share', 'leaders.affinity_population_share') }} as affinity_lift,
        {{ ratio('leaders.evidence', '10000') }} as affinity_evidence
    from customers
    left join per_customer on customers.customer_id = per_customer.customer_id
    left join leaders on customers.customer_id = leaders.customer_id

)

select * from final
