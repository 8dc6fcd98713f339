-- Order lines and what was taken back. Grain of `lines`: one row per line as it was bought; of `clean_transactions`: one of the contract.
-- An order's planted value is at list prices; who answers to discounts buys more units the deeper they are.
-- amount is the net value: list value less promotion less coupon. In every week four of the ten products of each category and quality tier
-- are on promotion, at 10, 20, 30 and 40 percent; which ones moves from week to week.
create or replace table lines as
with numbered as (
    select
        orders.*,
        line_numbers.range as line_number,
        order_key * 16 + line_numbers.range as line_key,
        date_diff('week', date '2000-01-03', day) as week_number
    from orders
    inner join range(1, 13) as line_numbers on line_numbers.range <= orders.line_count
),

second_categories as (
    -- A runner-up among the categories that everybody buys from.
    select numbered.*, category_slots.category_number as second_category_number
    from numbered
    inner join category_slots on category_slots.slot = cast(floor(second_category_draw * 100) as bigint)
),

chosen_lines as (
    select
        second_categories.*,
        -- Without a leading category the draw is above every share.
        if(category_affinity = 'broad', 1, draw('taste', n, line_key)) as taste_draw,
        case
            when taste_draw < parameter('leading_category_share') then favourite.category_number
            when taste_draw < parameter('leading_category_share') + parameter('second_category_share') then second_category_number
            else other.category_number
        end as category_number,
        case pick_given('quality_tier', quality_preference, draw('tier', n, line_key))
            when 'budget' then 0 when 'standard' then 1 else 2
        end as tier_number,
        draw('promoted', n, line_key) < parameter('rate_of_promoted_lines')[promotion_type] as is_promoted,
        if(is_promoted, cast(pick_given('discount_depth', price_sensitivity, draw('depth', n, line_key)) as integer), 0) as depth_percent,
        if(
            is_promoted,
            (week_number + 3 * (depth_percent // 10 - 1)) % 10,
            (week_number + [1, 2, 4, 5, 7, 8][1 + draw_below('product', n, line_key, 6)]) % 10
        ) as product_index,
        -- Whole numbers, so that their sum is the same in any order.
        1 + draw_waiting('line weight', n, line_key, 1000000) as line_weight
    from second_categories
    inner join category_slots as other on other.slot = draw_below('category', n, line_key, 100)
    left join categories as favourite on second_categories.category_affinity = favourite.category
),

valued as (
    select
        chosen_lines.*,
        products.product_id,
        products.category,
        products.cost_share,
        products.list_price,
        target_value * line_weight / sum(line_weight) over (partition by order_number)
        * (1 + parameter('units_response')[price_sensitivity] * depth_percent / 100) as line_value,
        greatest(1, round(line_value / products.list_price)) as quantity,
        has_coupon and line_number = 1 as carries_coupon,
        -- A sample that costs nothing is a line like any other.
        draw('free sample', n, line_key) < parameter('free_sample_share') as is_free
    from chosen_lines
    inner join product_list as products
        on products.product_number = (chosen_lines.category_number * 3 + chosen_lines.tier_number) * 10 + chosen_lines.product_index
),

priced as (
    select
        *,
        cast(if(is_free, 0, quantity * list_price) as decimal(18, 2)) as list_amount,
        cast(round(list_amount * depth_percent / 100.0, 2) as decimal(18, 2)) as discount_amount,
        if(carries_coupon, cast(round((list_amount - discount_amount) * 0.15, 2) as decimal(18, 2)), 0.00::decimal(18, 2)) as coupon_amount
    from valued
)

select
    n,
    customer_id,
    order_key,
    order_number,
    line_number,
    line_key,
    day_number,
    ordered_at,
    channel,
    store_id,
    payment_method,
    status,
    category,
    quantity,
    depth_percent,
    discount_amount,
    coupon_amount,
    cast(list_amount - discount_amount - coupon_amount as decimal(18, 2)) as amount,
    cast(round(list_amount * cost_share, 2) as decimal(18, 2)) as cost_amount,
    -- A few products were never entered in the product table.
    if(draw('unlisted product', n, line_key) < 0.002, 'P99' || cast(category as varchar), product_id) as product_id
from priced;

create or replace table clean_transactions as
with returned as (
    select
        *,
        ordered_at + to_seconds(259200 + draw_below('return time', n, line_key, 1468800)) as returned_at,
        -- The four ways in which systems write a return.
        draw_below('return form', n, line_key, 4) as form
    from lines
    where status = 'completed' and draw('returned', n, line_key) < parameter('returned_line_share')
),

-- Bought before the history begins: only the return is known.
only_returns as (
    select
        people.n,
        people.customer_id,
        people.home_store_id,
        calendar.day_number,
        utc_time(calendar.day_number, 43200 + draw_below('only return', people.n, 1, 20000), calendar.utc_offset_seconds) as returned_at,
        product_list.product_id,
        product_list.list_price,
        product_list.cost_share
    from people
    inner join calendar
        on people.country = calendar.country
        and calendar.day_number = draw_below('only return', people.n, 0, getvariable('window_days'))
    inner join product_list on product_list.product_number = draw_below('only return', people.n, 2, 420)
    where people.has_only_returns
),

bought_rows as (
    select
        n,
        'O' || cast(100000000000 + order_number as varchar) as order_id,
        cast(line_number as varchar) as line_id,
        customer_id,
        ordered_at,
        amount,
        product_id,
        cast(quantity as decimal(18, 3)) as quantity,
        discount_amount,
        coupon_amount,
        cost_amount,
        store_id,
        channel,
        payment_method,
        status,
        ordered_at as updated_at
    from lines
),

returned_rows as (
    select
        n,
        if(form = 0, 'O', 'R') || cast(100000000000 + order_number as varchar) as order_id,
        if(form = 0, 'R', '') || cast(line_number as varchar) as line_id,
        customer_id,
        returned_at as ordered_at,
        if(form = 1, amount, -amount) as amount,
        product_id,
        cast(if(form = 1, quantity, -quantity) as decimal(18, 3)) as quantity,
        0.00 as discount_amount,
        0.00 as coupon_amount,
        if(form = 1, cost_amount, -cost_amount) as cost_amount,
        store_id,
        channel,
        payment_method,
        if(form = 2, 'completed', 'returned') as status,
        returned_at as updated_at
    from returned
    where returned_at < getvariable('end_at')
    union all
    select
        n, 'R' || cast(100000000000 + n * 10000 as varchar), '1', customer_id, returned_at, -list_price, product_id, -1, 0, 0,
        -round(list_price * cost_share, 2), home_store_id, 'store', 'card', 'returned', returned_at
    from only_returns
    where returned_at < getvariable('end_at')
),

all_rows as (
    select * from bought_rows
    union all
    select * from returned_rows
)

select
    n,
    order_id,
    line_id,
    customer_id,
    ordered_at,
    cast(amount as decimal(18, 2)) as amount,
    product_id,
    cast(quantity as decimal(18, 3)) as quantity,
    cast(discount_amount as decimal(18, 2)) as discount_amount,
    cast(coupon_amount as decimal(18, 2)) as coupon_amount,
    -- Nobody wrote down what the garden centre's goods cost.
    cast(if(product_id between 'P10360' and 'P10369', null, cost_amount) as decimal(18, 2)) as cost_amount,
    store_id,
    channel,
    payment_method,
    status,
    'EUR' as currency,
    updated_at
from all_rows;
