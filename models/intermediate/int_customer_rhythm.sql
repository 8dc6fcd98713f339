-- Whole-number sums only: exact in any order of the rows.
{{ config_roll_up() }}

with purchase_days as (

    select * from {{ ref('int_customer_days') }}
    where
        purchase_orders > 0
        and {{ is_refreshed() }}

),

final as (

    select
        customer_id,
        max(order_date) as last_order_date,
        count(*) as purchase_days,
        count(gap_days) as gap_count,
        -- The day before in the same month would lie less than this day's number away.
        count(*) filter (where gap_days is null or gap_days >= extract(day from order_date)) as active_months,
        cast(sum(cast(gap_days as bigint)) as bigint) as gap_sum,
        cast(sum(cast(gap_days as bigint) * gap_days) as bigint) as gap_square_sum,
        max(gap_days) as max_gap_days
    from purchase_days
    group by customer_id

)

select * from final
