with customers as (

    select * from {{ ref('int_customers') }}

),

customer_categories as {{ inlined() }} (

    select * from {{ ref('int_customer_categories') }}
    where purchase_lines > 0

),

population as (

    select
        category,
        sum(purchased_amount) as category_amount,
        row_number() over (order by category desc) as name_rank
    from customer_categories
    group by category

),

-- Two categories of equal spend: the first by name leads, so that the answer never changes from run to run.
-- Cents and name in one whole number, so that one pass finds the leader.
per_customer as (

    select
        customer_categories.customer_id,
        count(*) filter (where customer_categories.category <> 'unknown') as category_count,
        sum(customer_categories.purchased_amount) as purchased_amount,
        max(case when customer_categories.category <> 'unknown' then customer_categories.purchased_amount end) as leading_category_amount,
        max(
            case
                when customer_categories.category <> 'unknown' and customer_categories.purchased_amount > 0
                    then cast(100 * customer_categories.purchased_amount as bigint) * 100000 + population.name_rank
            end
        ) % 100000 as leading_name_rank
    from customer_categories
    inner join population on customer_categories.category = population.category
    group by customer_categories.customer_id

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
        population.category as leading_category,
        cast(case when population.category is not null then per_customer.leading_category_amount end as decimal(18, 2))
            as leading_category_amount,
        case
            when population.category is not null
                then {{ ratio('per_customer.leading_category_amount', 'per_customer.purchased_amount') }}
        end as leading_category_share,
        case
            when population.category is not null
                then
                    {{ ratio(
                        ratio('per_customer.leading_category_amount', 'per_customer.purchased_amount'),
                        ratio('population.category_amount', 'total.total_amount')
                    ) }}
        end as leading_category_lift
    from customers
    cross join total
    left join per_customer on customers.customer_id = per_customer.customer_id
    left join population on per_customer.leading_name_rank = population.name_rank

)

select * from final
