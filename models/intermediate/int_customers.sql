with customers as (

    select
        customer_id,
        signed_up_date
    from {{ ref('stg_customers') }}

),

order_totals as (

    select
        customer_id,
        first_day
    from {{ ref('int_customer_order_totals') }}

),

transactions as (

    select
        customer_id,
        order_date
    from {{ ref('stg_transactions') }}

),

dated as (

    select
        customers.customer_id,
        -- least() skips nulls on both engines.
        least(customers.signed_up_date, order_totals.first_day) as customer_since_date
    from customers
    left join order_totals on customers.customer_id = order_totals.customer_id

),

-- Somebody without any date yet, who orders on the day described or later, was not a customer on that day.
-- Normally nobody is undated and the lines are not read for this.
undated as (

    select customer_id from dated
    where customer_since_date is null

),

customers_to_come as (

    select distinct undated.customer_id
    from undated
    inner join transactions on undated.customer_id = transactions.customer_id
    where transactions.order_date >= {{ as_of_date() }}

),

final as (

    select
        dated.customer_id,
        {{ as_of_date() }} as as_of_date,
        dated.customer_since_date
    from dated
    left join customers_to_come on dated.customer_id = customers_to_come.customer_id
    where
        customers_to_come.customer_id is null
        and (dated.customer_since_date < {{ as_of_date() }} or dated.customer_since_date is null)

)

select * from final
