with customers as (

    select * from {{ ref('int_customers') }}

),

customer_categories as {{ inlined() }} (

    select * from {{ ref('int_customer_categories') }}
    where purchase_lines > 0

),

per_customer as (

    select
        customer_id,
        count(*) filter (where category <> 'unknown') as category_count,
        sum(purchased_amount) as purchased_amount,
        max(case when category <> 'unknown' then purchased_amount end) as leading_category_amount
    from customer_categories
    group by customer_id

),

-- Two categories of equal spend: the first by name leads, so that the answer never changes from run to run.
leaders as (

    select
        customer_categories.customer_id,
        min(customer_categories.category) as leading_category
    from customer_categories
    inner join per_customer
        on
            customer_categories.customer_id = per_customer.customer_id
            and customer_categories.purchased_amount = per_customer.leading_category_amount
    where
        customer_categories.category <> 'unknown'
        and customer_categories.purchased_amount > 0
    group by customer_categories.customer_id

),

population as (

    select
        category,
        sum(purchased_amount) as category_amount
    from customer_categories
    group by category

),

total as (

    select sum(category_amount) as total_amount
    from population

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        coalesce(per_customer.category_count, 0) as category_count,
        leaders.leading_category,
        cast(case when leaders.leading_category is not null then per_customer.leading_category_amount end as decimal(18, 2))
            as leading_category_amount,
        case
            when leaders.leading_category is not null
                then {{ ratio('per_customer.leading_category_amount', 'per_customer.purchased_amount') }}
        end as leading_category_share,
        case
            when leaders.leading_category is not null
                then
                    {{ ratio(
                        ratio('per_customer.leading_category_amount', 'per_customer.purchased_amount'),
                        ratio('population.category_amount', 'total.total_amount')
                    ) }}
        end as leading_category_lift
    from customers
    cross join total
    left join per_customer on customers.customer_id = per_customer.customer_id
    left join leaders on customers.customer_id = leaders.customer_id
    left join population on leaders.leading_category = population.category

)

select * from final
