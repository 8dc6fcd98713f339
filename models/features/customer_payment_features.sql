with customers as (

    select * from {{ ref('int_customers') }}

),

payment_methods as {{ inlined() }} (

    select * from {{ ref('int_customer_payment_methods') }}

),

per_customer as (

    select
        customer_id,
        cast(sum(order_count) as bigint) as payment_known_orders,
        count(*) as payment_method_count,
        max(order_count) as leading_payment_orders
    from payment_methods
    group by customer_id

),

-- Two methods used equally often: the first by name, so that the answer never changes from run to run.
leaders as (

    select
        payment_methods.customer_id,
        min(payment_methods.payment_method) as leading_payment_method
    from payment_methods
    inner join per_customer
        on
            payment_methods.customer_id = per_customer.customer_id
            and payment_methods.order_count = per_customer.leading_payment_orders
    group by payment_methods.customer_id

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        coalesce(per_customer.payment_known_orders, 0) as payment_known_orders,
        coalesce(per_customer.payment_method_count, 0) as payment_method_count,
        leaders.leading_payment_method,
        coalesce(per_customer.leading_payment_orders, 0) as leading_payment_orders,
        {{ ratio('per_customer.leading_payment_orders', 'per_customer.payment_known_orders') }} as leading_payment_share
    from customers
    left join per_customer on customers.customer_id = per_customer.customer_id
    left join leaders on customers.customer_id = leaders.customer_id

)

select * from final
