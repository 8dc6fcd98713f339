with customers as (

    select * from {{ ref('int_customers') }}

),

orders as (

    select * from {{ ref('customer_order_features') }}

),

rhythm as (

    select * from {{ ref('customer_rhythm_features') }}

),

order_totals as (

    select
        customer_id,
        last_ordered_at
    from {{ ref('int_customer_order_totals') }}

),

long_gaps as (

    select * from {{ ref('int_customer_long_gaps') }}

),

web as (

    select * from {{ ref('int_customer_web') }}

),

support as (

    select * from {{ ref('int_customer_support') }}

),

limits as (

    select
        {{ threshold('journey_stage_long_gap_multiple') }} as long_gap_multiple,
        {{ threshold('journey_stage_long_gap_minimum_days') }} as long_gap_minimum_days,
        {{ threshold('journey_stage_long_gap_maximum_days') }} as long_gap_maximum_days,
        cast({{ threshold('rhythm_population_gaps') }} as integer) as population_gaps

),

-- Each gap against the usual gap of all the others, so that a long silence does not make itself look usual.
gaps as (

    select
        long_gaps.customer_id,
        long_gaps.order_date,
        long_gaps.gap_days,
        {{ mean_to_cents(
            days_between('orders.first_order_date', 'orders.last_order_date')
            ~ ' - long_gaps.gap_days + limits.population_gaps * rhythm.population_gap_days',
            'rhythm.gap_count - 1 + limits.population_gaps'
        ) }} as other_gap_days
    from long_gaps
    inner join orders on long_gaps.customer_id = orders.customer_id
    inner join rhythm on long_gaps.customer_id = rhythm.customer_id
    cross join limits

),

comebacks as (

    select
        gaps.customer_id,
        max(gaps.order_date) as comeback_date,
        max_by(gaps.gap_days, gaps.order_date) as comeback_gap_days
    from gaps
    cross join limits
    where gaps.gap_days >= least(limits.long_gap_maximum_days, limits.long_gap_multiple * gaps.other_gap_days)
    group by gaps.customer_id

),

measured as (

    select
        customers.customer_id,
        customers.as_of_date,

        orders.recency_days,
        orders.last_order_date,
        rhythm.purchase_days,
        -- Of nulls greatest() and least() take the other side: without a purchase there is no usual gap and no limit.
        case
            when rhythm.usual_gap_days is not null
                then
                    cast(
                        least(
                            limits.long_gap_maximum_days,
                            greatest(limits.long_gap_minimum_days, limits.long_gap_multiple * rhythm.usual_gap_days)
                        ) as decimal(18, 2)
                    )
        end as long_gap_days
    from customers
    inner join orders on customers.customer_id = orders.customer_id
    inner join rhythm on customers.customer_id = rhythm.customer_id
    cross join limits

),

final as (

    select
        measured.customer_id,
        measured.as_of_date,

        measured.long_gap_days,
        coalesce(measured.recency_days >= measured.long_gap_days, false) as is_silence_long,
        comebacks.comeback_date,
        comebacks.comeback_gap_days,
        {{ days_between('comebacks.comeback_date', 'measured.as_of_date') }} as days_since_comeback,

        cast(coalesce(web.web_days, 0) as bigint) as web_days,
        cast(coalesce(web.web_days_90d, 0) as bigint) as web_days_90d,
        cast(coalesce(web.product_view_count_90d, 0) as bigint) as product_view_count_90d,
        cast(coalesce(web.cart_event_count_90d, 0) as bigint) as cart_event_count_90d,
        web.last_web_date,
        {{ days_between('web.last_web_date', 'measured.as_of_date') }} as days_since_last_web_day,
        web.last_cart_date,
        -- By whole days: whoever bought anything on the day of the cart, or after it, is not to be reminded of it.
        case
            when
                web.last_cart_date > coalesce(greatest(measured.last_order_date, web.last_web_purchase_date), cast('1970-01-01' as date))
                then {{ days_between('web.last_cart_date', 'measured.as_of_date') }}
        end as days_since_abandoned_cart,

        cast(coalesce(support.ticket_count, 0) as bigint) as ticket_count,
        cast(coalesce(support.ticket_count_365d, 0) as bigint) as ticket_count_365d,
        cast(coalesce(support.unanswered_ticket_count, 0) as bigint) as unanswered_ticket_count,
        support.last_ticket_date,
        support.last_reply_date,
        -- Written, visited or bought since the reply: the customer has come back.
        case
            when
                support.last_reply_at
                > greatest(support.last_customer_message_at, web.last_event_at, order_totals.last_ordered_at)
                then {{ days_between('support.last_reply_date', 'measured.as_of_date') }}
        end as days_since_unreturned_reply
    from measured
    left join comebacks on measured.customer_id = comebacks.customer_id
    left join web on measured.customer_id = web.customer_id
    left join support on measured.customer_id = support.customer_id
    left join order_totals on measured.customer_id = order_totals.customer_id

)

select * from final
