-- The opponent: the features that need nothing but customers, order lines and products, written by hand in as few passes as we know.
-- {{lines}}, {{customers}}, {{products}}: the landed Parquet. Same rules as the models, and figures that must come out equal.
-- Money is whole cents in integers, so that sums are exact and their state narrow.

-- Pass 1, two narrow columns: rows that a later version of their key supersedes. An order with a repeated line has fewer distinct
-- bits than lines; the few orders that this suspects are looked at exactly.
create temp table superseded as
with
    suspects as (
        select order_id
        from {lines}
        group by order_id
        having bit_count(bit_or(1::bigint << (hash(line_id) % 63)::integer)) < count(*)
    ),

    versions as (
        select
            loaded_at,
            source_row,
            row_number() over (partition by order_id, line_id order by loaded_at desc, source_row desc) as version_number
        from {lines}
        semi join suspects using (order_id)
    )

select
    loaded_at,
    source_row
from versions
where version_number > 1;

-- Few codes with many repetitions: as enums they are numbers, in alphabetical order.
create temp table codes as select distinct channel, payment_method from {lines};
create type channel_code as enum (select distinct channel from codes where channel is not null order by channel);
create type method_code as enum (select distinct payment_method from codes where payment_method is not null order by payment_method);

create temp view lines as
select
    order_id,
    customer_id,
    product_id,
    ordered_at,
    status <> 'returned' and amount >= 0 as is_purchase,
    (100 * case when status = 'returned' then -abs(amount) else amount end)::integer as cents,
    (100 * coalesce(discount_amount, 0))::integer as discount_cents,
    (100 * coalesce(coupon_amount, 0))::integer as coupon_cents,
    (100 * cost_amount)::integer as cost_cents,
    (1000 * coalesce(quantity, 0))::integer as milli_units,
    channel::channel_code as channel,
    payment_method::method_code as payment_method
from {lines}
anti join superseded using (loaded_at, source_row)
where status <> 'cancelled' and ordered_at < timestamp '{as_of}';

-- Pass 2: orders.
create temp table orders as
select
    customer_id,
    coalesce(min(ordered_at) filter (where is_purchase), min(ordered_at))::date as day,
    bool_or(is_purchase) as is_purchase,
    min(channel) filter (where is_purchase) as channel,
    min(payment_method) filter (where is_purchase) as payment_method,
    sum(cents)::integer as net_cents,
    sum(case when is_purchase then 0 else -cents end)::integer as returned_cents,
    sum(case when is_purchase and (discount_cents > 0 or coupon_cents > 0) then cents else 0 end)::integer as promoted_cents,
    bool_or(is_purchase and (discount_cents > 0 or coupon_cents > 0)) as has_promoted_line,
    sum(case when is_purchase then discount_cents else 0 end)::integer as discount_cents,
    sum(case when is_purchase then coupon_cents else 0 end)::integer as coupon_cents,
    sum(case when is_purchase then cost_cents else -abs(cost_cents) end)::integer as cost_cents,
    sum(case when cost_cents is not null then cents else 0 end)::integer as costed_cents,
    sum(case when is_purchase then milli_units else -abs(milli_units) end)::integer as milli_units
from lines
group by order_id, customer_id;

-- Over orders: everything that is a sum.
create temp table totals as
select
    customer_id,
    min(day) as first_day,
    min(day) filter (where is_purchase) as first_order_date,
    max(day) filter (where is_purchase) as last_order_date,
    count(*) filter (where is_purchase) as order_count,
    count(*) filter (where is_purchase and day >= date '{as_of}' - 30) as orders_30d,
    count(*) filter (where is_purchase and day >= date '{as_of}' - 90) as orders_90d,
    count(*) filter (where is_purchase and day >= date '{as_of}' - 365) as orders_365d,
    sum(net_cents)::bigint as net_cents,
    sum(case when day >= date '{as_of}' - 30 then net_cents else 0 end)::bigint as net_cents_30d,
    sum(case when day >= date '{as_of}' - 90 then net_cents else 0 end)::bigint as net_cents_90d,
    sum(case when day >= date '{as_of}' - 365 then net_cents else 0 end)::bigint as net_cents_365d,
    sum(returned_cents)::bigint as returned_cents,
    sum(cost_cents)::bigint as cost_cents,
    sum(costed_cents)::bigint as costed_cents,
    sum(milli_units)::bigint as milli_units,
    -- Promotion: of orders with a purchase in them.
    count(*) filter (where is_purchase and has_promoted_line and 2 * promoted_cents >= net_cents + returned_cents) as promoted_order_count,
    count(*) filter (where is_purchase and coupon_cents > 0) as coupon_order_count,
    sum(case when is_purchase then net_cents + returned_cents else 0 end)::bigint as purchased_cents,
    sum(case when is_purchase then promoted_cents else 0 end)::bigint as promoted_cents,
    sum(case when is_purchase then discount_cents else 0 end)::bigint as discount_cents,
    sum(case when is_purchase then coupon_cents else 0 end)::bigint as coupon_cents,
    -- Trend: the last window, the one before it, the same a year ago.
    count(*) filter (where is_purchase and day >= date '{as_of}' - {window}) as last_window_orders,
    count(*) filter (where is_purchase and day >= date '{as_of}' - 2 * {window} and day < date '{as_of}' - {window}) as previous_window_orders,
    sum(case when day >= date '{as_of}' - {window} then net_cents else 0 end)::bigint as last_window_cents,
    sum(case when day >= date '{as_of}' - 2 * {window} and day < date '{as_of}' - {window} then net_cents else 0 end)::bigint
        as previous_window_cents,
    count(*) filter (where is_purchase and day >= date '{as_of}' - {year} - {window} and day < date '{as_of}' - {year}) as year_ago_window_orders,
    sum(case when day >= date '{as_of}' - {year} - {window} and day < date '{as_of}' - {year} then net_cents else 0 end)::bigint
        as year_ago_window_cents
from orders
group by customer_id;

-- Gaps between purchase days: their number, sum, sum of squares and greatest are enough for mean and deviation.
create temp table rhythm as
with
    days as (
        select distinct
            customer_id,
            day
        from orders
        where is_purchase
    ),

    gaps as (
        select
            customer_id,
            day,
            day - lag(day) over (partition by customer_id order by day) as gap
        from days
    )

select
    customer_id,
    count(*) as purchase_days,
    count(*) filter (where gap is null or gap >= extract(day from day)) as active_months,
    count(gap) as gap_count,
    sum(gap)::bigint as gap_sum,
    sum(gap * gap)::bigint as gap_square_sum,
    max(gap) as max_gap_days
from gaps
group by customer_id;

-- Leaders: amount and name in one whole number, so that the greatest decides both; of equals the first by name.
create temp table payment as
with counted as (
    select
        customer_id,
        payment_method,
        count(*) as orders
    from orders
    where is_purchase and payment_method is not null and day >= date '{as_of}' - {payment_window}
    group by customer_id, payment_method
)

select
    customer_id,
    arg_max(payment_method, orders * 256 + 255 - enum_code(payment_method))::varchar as leading_payment_method,
    max(orders) / sum(orders) as leading_payment_share
from counted
group by customer_id;

create temp table channel as
with counted as (
    select
        customer_id,
        channel,
        count(*) as orders
    from orders
    where is_purchase and channel is not null and day >= date '{as_of}' - {channel_window}
    group by customer_id, channel
)

select
    customer_id,
    arg_max(channel, orders * 256 + 255 - enum_code(channel))::varchar as leading_channel,
    max(orders) / sum(orders) as leading_channel_share
from counted
group by customer_id;

-- Pass 3: categories, straight from the lines to the customer.
create temp table articles as
select
    product_id,
    dense_rank() over (order by category desc) as name_rank,
    category
from (select product_id, coalesce(category, department) as category from {products});

create temp table categories as
with
    counted as (
        select
            lines.customer_id,
            coalesce(articles.name_rank, 0) as name_rank,
            sum(lines.cents)::bigint as cents
        from lines
        left join articles using (product_id)
        where lines.is_purchase
        group by all
    ),

    leaders as (
        select
            customer_id,
            count(*) filter (where name_rank > 0) as category_count,
            sum(cents)::bigint as cents,
            max(cents * 65536 + name_rank) filter (where name_rank > 0 and cents > 0) as leader
        from counted
        group by customer_id
    ),

    names as (select distinct name_rank, category from articles)

select
    leaders.customer_id,
    leaders.category_count,
    names.category as leading_category,
    leaders.leader >> 16 as leading_category_cents,
    (leaders.leader >> 16) / nullif(leaders.cents, 0) as leading_category_share
from leaders
left join names on names.name_rank = leaders.leader & 65535;

create table features as
with
    known as (
        select
            customer_id,
            arg_max(signed_up_at, (loaded_at, source_row))::date as signed_up_date
        from {customers}
        group by customer_id
    ),

    history as (select min(first_day) as history_start from totals),

    customers as (
        select
            known.customer_id,
            least(known.signed_up_date, totals.first_day) as customer_since_date
        from known
        left join totals using (customer_id)
    )

select
    customers.customer_id,
    customers.customer_since_date,
    date '{as_of}' - customers.customer_since_date as tenure_days,
    totals.first_order_date,
    totals.last_order_date,
    date '{as_of}' - totals.last_order_date as recency_days,
    date '{as_of}' - totals.first_order_date as buyer_days,
    coalesce(totals.order_count, 0) as order_count,
    coalesce(totals.orders_30d, 0) as orders_30d,
    coalesce(totals.orders_90d, 0) as orders_90d,
    coalesce(totals.orders_365d, 0) as orders_365d,
    (coalesce(totals.net_cents, 0) * 0.01)::decimal(18, 2) as net_amount,
    (coalesce(totals.net_cents_30d, 0) * 0.01)::decimal(18, 2) as net_amount_30d,
    (coalesce(totals.net_cents_90d, 0) * 0.01)::decimal(18, 2) as net_amount_90d,
    (coalesce(totals.net_cents_365d, 0) * 0.01)::decimal(18, 2) as net_amount_365d,
    (coalesce(totals.net_cents + totals.returned_cents, 0) * 0.01)::decimal(18, 2) as gross_amount,
    (coalesce(totals.returned_cents, 0) * 0.01)::decimal(18, 2) as returned_amount,
    ((totals.costed_cents - totals.cost_cents) * 0.01)::decimal(18, 2) as margin_amount,
    (coalesce(totals.milli_units, 0) * 0.001)::decimal(18, 3) as units,
    (floor((2 * totals.net_cents + totals.order_count) / nullif(2 * totals.order_count, 0)) * 0.01)::decimal(18, 2) as mean_order_amount,
    totals.returned_cents / nullif(totals.net_cents + totals.returned_cents, 0) as returned_share,

    coalesce(totals.promoted_order_count, 0) as promoted_order_count,
    coalesce(totals.coupon_order_count, 0) as coupon_order_count,
    (coalesce(totals.promoted_cents, 0) * 0.01)::decimal(18, 2) as promoted_amount,
    (coalesce(totals.discount_cents, 0) * 0.01)::decimal(18, 2) as discount_amount,
    (coalesce(totals.coupon_cents, 0) * 0.01)::decimal(18, 2) as coupon_amount,
    totals.promoted_cents / nullif(totals.purchased_cents, 0) as promoted_spend_share,
    totals.promoted_order_count / nullif(totals.order_count, 0) as promoted_order_share,

    coalesce(rhythm.purchase_days, 0) as purchase_days,
    coalesce(rhythm.active_months, 0) as active_months,
    coalesce(rhythm.gap_count, 0) as gap_count,
    (floor((200 * rhythm.gap_sum + rhythm.gap_count) / nullif(2 * rhythm.gap_count, 0)) * 0.01)::decimal(18, 2) as mean_gap_days,
    case
        when rhythm.gap_count >= 2
            then sqrt(
                (rhythm.gap_count * rhythm.gap_square_sum - rhythm.gap_sum * rhythm.gap_sum)
                / (rhythm.gap_count * (rhythm.gap_count - 1))
            )
    end as gap_deviation_days,
    rhythm.max_gap_days,

    coalesce(totals.last_window_orders, 0) as last_window_orders,
    coalesce(totals.previous_window_orders, 0) as previous_window_orders,
    (coalesce(totals.last_window_cents, 0) * 0.01)::decimal(18, 2) as last_window_amount,
    (coalesce(totals.previous_window_cents, 0) * 0.01)::decimal(18, 2) as previous_window_amount,
    case when is_year_ago_observed then coalesce(totals.year_ago_window_orders, 0) end as year_ago_window_orders,
    case when is_year_ago_observed then (coalesce(totals.year_ago_window_cents, 0) * 0.01)::decimal(18, 2) end as year_ago_window_amount,

    coalesce(categories.category_count, 0) as category_count,
    categories.leading_category,
    (categories.leading_category_cents * 0.01)::decimal(18, 2) as leading_category_amount,
    case when categories.leading_category is not null then categories.leading_category_share end as leading_category_share,

    payment.leading_payment_method,
    payment.leading_payment_share,
    channel.leading_channel,
    channel.leading_channel_share
from customers
cross join history
cross join lateral (
    select
        coalesce(greatest(customers.customer_since_date, history.history_start) <= date '{as_of}' - {year} - {window}, false)
            as is_year_ago_observed
)
left join totals using (customer_id)
left join rhythm using (customer_id)
left join categories using (customer_id)
left join payment using (customer_id)
left join channel using (customer_id)
-- Who is not a customer yet on the day described has no row.
where customers.customer_since_date < date '{as_of}';
