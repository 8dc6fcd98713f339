-- Which of these gaps was a long one moves with the population's typical gap, every night. A gap counts as long the sooner the longer it is, so the last
-- long one can only be one that no later gap equals: few rows per customer have to be asked.
{{ config_roll_up() }}

with purchase_days as (

    select * from {{ ref('int_customer_days') }}
    where {{ is_refreshed() }}

),

limits as (

    select {{ threshold('journey_stage_long_gap_minimum_days') }} as long_gap_minimum_days

),

gaps as (

    select
        purchase_days.customer_id,
        purchase_days.order_date,
        purchase_days.gap_days,
        max(purchase_days.gap_days) over (
            partition by purchase_days.customer_id
            order by purchase_days.order_date
            rows between 1 following and unbounded following
        ) as longest_later_gap_days
    from purchase_days
    cross join limits
    where purchase_days.gap_days >= limits.long_gap_minimum_days

),

final as (

    select
        customer_id,
        order_date,
        gap_days
    from gaps
    where
        longest_later_gap_days is null
        or gap_days > longest_later_gap_days

)

select * from final
