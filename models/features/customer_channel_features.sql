with customers as (

    select * from {{ ref('int_customers') }}

),

channels as {{ inlined() }} (

    select * from {{ ref('int_customer_channels') }}

),

limits as (

    select cast({{ threshold('channel_preference_order_weight') }} as integer) as order_weight

),

weighted as {{ inlined() }} (

    select
        channels.customer_id,
        channels.channel,
        channels.order_count,
        channels.visit_days,
        limits.order_weight * channels.order_count + channels.visit_days as channel_weight
    from channels
    cross join limits

),

population as (

    select
        channel,
        sum(channel_weight) as population_weight,
        row_number() over (order by channel desc) as name_rank
    from weighted
    group by channel

),

-- Two channels of equal weight: the first by name, so that the answer never changes from run to run.
-- Weight and name in one whole number, so that one pass finds the leader.
per_customer as (

    select
        weighted.customer_id,
        cast(sum(weighted.order_count) as bigint) as channel_known_orders,
        cast(sum(weighted.visit_days) as bigint) as channel_known_visit_days,
        count(*) as channel_count,
        max(weighted.channel_weight) as leading_channel_weight,
        sum(weighted.channel_weight) as total_weight,
        max(weighted.channel_weight * 100000 + population.name_rank) % 100000 as leading_name_rank
    from weighted
    inner join population on weighted.channel = population.channel
    group by weighted.customer_id

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
        population.channel as leading_channel,
        cast(coalesce(per_customer.leading_channel_weight, 0) as bigint) as leading_channel_weight,
        cast(coalesce(per_customer.total_weight, 0) as bigint) as channel_weight,
        {{ ratio('per_customer.leading_channel_weight', 'per_customer.total_weight') }} as leading_channel_share,
        {{ ratio('population.population_weight', 'total.all_weight') }} as leading_channel_population_share
    from customers
    cross join total
    left join per_customer on customers.customer_id = per_customer.customer_id
    left join population on per_customer.leading_name_rank = population.name_rank

)

select * from final
