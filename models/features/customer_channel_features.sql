with customers as (

    select * from {{ ref('int_customers') }}

),

channels as (

    select * from {{ ref('int_customer_channels') }}

),

limits as (

    select cast({{ threshold('channel_preference_order_weight') }} as integer) as order_weight

),

weighted as (

    select
        channels.customer_id,
        channels.channel,
        channels.order_count,
        channels.visit_days,
        limits.order_weight * channels.order_count + channels.visit_days as channel_weight
    from channels
    cross join limits

),

per_customer as (

    select
        customer_id,
        cast(sum(order_count) as bigint) as channel_known_orders,
        cast(sum(visit_days) as bigint) as channel_known_visit_days,
        count(*) as channel_count,
        max(channel_weight) as leading_channel_weight,
        sum(channel_weight) as total_weight
    from weighted
    group by customer_id

),

-- Two channels of equal weight: the first by name, so that the answer never changes from run to run.
leaders as (

    select
        weighted.customer_id,
        min(weighted.channel) as leading_channel
    from weighted
    inner join per_customer
        on
            weighted.customer_id = per_customer.customer_id
            and weighted.channel_weight = per_customer.leading_channel_weight
    group by weighted.customer_id

),

population as (

    select
        channel,
        sum(channel_weight) as population_weight
    from weighted
    group by channel

),

total as (

    select sum(population_weight) as all_weight
    from population

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        coalesce(per_customer.channel_known_orders, 0) as channel_known_orders,
        coalesce(per_customer.channel_known_visit_days, 0) as channel_known_visit_days,
        coalesce(per_customer.channel_count, 0) as channel_count,
        leaders.leading_channel,
        cast(coalesce(per_customer.leading_channel_weight, 0) as bigint) as leading_channel_weight,
        cast(coalesce(per_customer.total_weight, 0) as bigint) as channel_weight,
        {{ ratio('per_customer.leading_channel_weight', 'per_customer.total_weight') }} as leading_channel_share,
        {{ ratio('population.population_weight', 'total.all_weight') }} as leading_channel_population_share
    from customers
    cross join total
    left join per_customer on customers.customer_id = per_customer.customer_id
    left join leaders on customers.customer_id = leaders.customer_id
    left join population on leaders.leading_channel = population.channel

)

select * from final
