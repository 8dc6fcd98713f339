with customers as (

    select * from {{ ref('int_customers') }}

),

payment_methods as {{ inlined() }} (

    select * from {{ ref('int_customer_payment_methods') }}

),

methods as (

    select
        payment_method,
        row_number() over (order by payment_method desc) as name_rank
    from payment_methods
    group by payment_method

),

-- Two methods used equally often: the first by name, so that the answer never changes from run to run.
-- Orders and name in one whole number, so that one pass finds the leader.
per_customer as (

    select
        payment_methods.customer_id,
        cast(sum(payment_methods.order_count) as bigint) as payment_known_orders,
        count(*) as payment_method_count,
        max(payment_methods.order_count) as leading_payment_orders,
        max(payment_methods.order_count * 100000 + methods.name_rank) % 100000 as leading_name_rank
    from payment_methods
    inner join methods on payment_methods.payment_method = methods.payment_method
    group by payment_methods.customer_id

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        coalesce(per_customer.payment_known_orders, 0) as payment_known_orders,
        coalesce(per_customer.payment_method_count, 0) as payment_method_count,
        methods.payment_method as leading_payment_method,
        coalesce(per_customer.leading_payment_orders, 0) as leading_payment_orders,
        {{ ratio('per_customer.leading_payment_orders', 'per_customer.payment_known_orders') }} as leading_payment_share
    from customers
    left join per_customer on customers.customer_id = per_customer.customer_id
    left join methods on per_customer.leading_name_rank = methods.name_rank

)

select * from final
