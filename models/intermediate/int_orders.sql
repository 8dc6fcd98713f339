{{ config_roll_up() }}

with order_lines as (

    select * from {{ order_lines_to_read() }}
    where {{ is_refreshed() }}

),

grouped as (

    select
        order_id,
        customer_id,

        -- An order happened when the first thing in it was bought. Without a purchase in it, when the first thing was taken back.
        coalesce(min(case when is_purchase_line then ordered_at end), min(ordered_at)) as ordered_at,
        coalesce(min(case when is_purchase_line then order_date end), min(order_date)) as order_date,

        -- Where and how it was bought; of several the first by name, so that the answer never changes from run to run.
        min(case when is_purchase_line then store_id end) as store_id,
        min(case when is_purchase_line then channel end) as channel,
        min(case when is_purchase_line then payment_method end) as payment_method,

        bool_or(is_purchase_line) as is_purchase,
        bool_or(is_promoted_line) as has_promoted_line,

        count(*) as line_count,
        cast(sum(units) as decimal(18, 3)) as units,
        cast(sum(net_amount) as decimal(18, 2)) as net_amount,
        cast(sum(returned_amount) as decimal(18, 2)) as returned_amount,
        cast(sum(promoted_amount) as decimal(18, 2)) as promoted_amount,
        cast(sum(discount_amount) as decimal(18, 2)) as discount_amount,
        cast(sum(coupon_amount) as decimal(18, 2)) as coupon_amount,
        cast(sum(cost_amount) as decimal(18, 2)) as cost_amount,
        cast(sum(costed_amount) as decimal(18, 2)) as costed_amount
    from order_lines
    group by order_id, customer_id

),

final as (

    select
        order_id,
        customer_id,

        ordered_at,
        order_date,
        store_id,
        channel,
        payment_method,

        is_purchase,
        -- At least half of what was bought was under promotion or coupon: one promoted line does not make a big basket a promoted one.
        has_promoted_line and 2 * promoted_amount >= net_amount + returned_amount as is_promoted,
        coupon_amount > 0 as has_coupon,

        line_count,
        units,
        net_amount,
        cast(net_amount + returned_amount as decimal(18, 2)) as gross_amount,
        returned_amount,
        promoted_amount,
        discount_amount,
        coupon_amount,
        cost_amount,
        costed_amount
    from grouped

)

select * from final
