-- What was planted in each customer, and what truly happened to them by the end. Grain: one row per customer. Models never read this.
create or replace table truth_customers as
with purchases as (
    select
        n,
        order_number,
        day_number,
        ordered_at,
        day_number - lag(day_number) over (partition by n order by ordered_at, order_number) as gap_days
    from orders
    where status = 'completed'
),

purchase_summaries as (
    select
        n,
        count(*) as order_count,
        min(day_number) as first_day,
        max(day_number) as last_day,
        max(ordered_at) as last_ordered_at,
        max(gap_days) filter (where day_number >= getvariable('window_days') - 60) as recent_gap_days
    from purchases
    group by n
),

money as (
    select
        n,
        sum(case when status = 'cancelled' then 0 when status = 'returned' then -abs(amount) else amount end) as net_revenue,
        count(*) filter (where status = 'completed' and amount >= 0) as purchase_line_count
    from clean_transactions
    group by n
),

visits as (
    select
        n,
        max(occurred_at) as last_event_at,
        max(occurred_at) filter (where event_name = 'cart_add') as last_cart_at
    from clean_web_events
    group by n
),

tickets as (
    select n, max(first_reply_at) as last_reply_at, max(customer_replied_at) as last_comeback_at
    from clean_support_tickets
    group by n
),

kept_referrals as (
    select n, count(*) filter (where referred_buys) as kept_referral_count, count(*) as referral_count
    from clean_referrals
    group by n
),

contacts as (
    select
        n,
        count(*) as contact_count,
        count(clicked_at) as click_count,
        max(unsubscribed_at) as unsubscribed_at
    from chosen
    where not is_control
    group by n
),

credits as (
    select n, count(*) as conversion_count
    from conversions
    group by n
),

joined as (
    select
        people.*,
        permissions.* exclude (n, contact_preference),
        coalesce(purchase_summaries.order_count, 0) as order_count,
        coalesce(money.purchase_line_count, 0) as purchase_line_count,
        coalesce(money.net_revenue, 0.00) as net_revenue,
        purchase_summaries.first_day,
        purchase_summaries.last_day,
        purchase_summaries.recent_gap_days,
        -- Back since the last answer: a word, an order or a visit.
        coalesce(tickets.last_reply_at >= getvariable('end_at') - interval 60 days, false)
        and coalesce(tickets.last_comeback_at <= tickets.last_reply_at, true)
        and coalesce(purchase_summaries.last_ordered_at <= tickets.last_reply_at, true)
        and coalesce(visits.last_event_at <= tickets.last_reply_at, true) as is_support_waiting,
        coalesce(visits.last_cart_at >= getvariable('end_at') - interval 30 days, false)
        and coalesce(purchase_summaries.last_ordered_at < visits.last_cart_at, true) as has_open_cart,
        visits.last_event_at is not null as has_web_event,
        coalesce(kept_referrals.referral_count, 0) as referral_count,
        coalesce(kept_referrals.kept_referral_count, 0) as kept_referral_count,
        coalesce(contacts.contact_count, 0) as contact_count,
        coalesce(contacts.click_count, 0) as click_count,
        coalesce(credits.conversion_count, 0) as conversion_count,
        contacts.unsubscribed_at,
        clean_customers.person_number,
        clean_customers.referred_by_customer_id,
        erasure.n is not null as has_erasure_request
    from people
    inner join permissions using (n)
    inner join clean_customers using (n)
    left join purchase_summaries using (n)
    left join money using (n)
    left join visits using (n)
    left join tickets using (n)
    left join kept_referrals using (n)
    left join contacts using (n)
    left join credits using (n)
    left join (select distinct n from clean_erasure_requests) as erasure using (n)
)

select
    n as customer_number,
    customer_id,
    -- Buying
    rhythm,
    purchase_rate * 365 as purchases_a_year,
    regularity,
    dropout_rate * 365 as dropouts_a_year,
    day_of(first_order_day) as acquired_on,
    case when rhythm = 'none' then null else rhythm != 'one_off' and dropout_day >= getvariable('window_days') end as is_alive,
    case
        when rhythm != 'none' and dropout_day < getvariable('window_days') then day_of(dropout_day)
        when rhythm = 'one_off' then getvariable('end_date')
    end as dropped_out_on,
    mean_order_value,
    planted_value_trend as value_trend,
    holiday_behaviour,
    if(clock in ('ordinary', 'holiday_heavy'), null, clock) as season,
    promotion_type,
    price_sensitivity,
    quality_preference,
    payment_preference,
    channel_preference,
    category_affinity,
    -- Journey, programme and response
    case
        when is_support_waiting then 'support_waiting'
        when has_open_cart then 'cart_abandoner'
        when order_count = 0 and has_web_event then 'visitor_no_purchase'
        when order_count = 0 then 'registered'
        when order_count = 1 and last_day >= getvariable('window_days') - 90 then 'first_purchase'
        when order_count = 1 then 'bought_once_lapsed'
        when recent_gap_days >= 180 then 'returning'
        else 'repeat'
    end as journey_stage,
    has_only_returns,
    is_planted_returning,
    is_planted_support_waiting,
    contact_preference,
    best_contact_weekday,
    best_contact_hour,
    campaign_response,
    uplift_type,
    case uplift_type
        when 'persuadable' then parameter('persuadable_uplift')
        when 'do_not_disturb' then -parameter('do_not_disturb_loss') * coalesce(purchase_rate, 0) * parameter('uplift_days')
        else 0.0
    end as true_uplift,
    enrolment_channel,
    day_of(signed_up_day) as signed_up_on,
    programme_habit,
    case
        when programme_habit in ('not_a_member', 'dormant') then programme_habit
        when active_until_day <= getvariable('window_days') - 30 then 'dormant'
        else programme_habit
    end as programme_engagement,
    advocacy,
    -- Who they are
    life_stage,
    socio_economic_band,
    country,
    market,
    climate,
    region,
    city,
    home_store_id,
    psychographic_group,
    socio_cultural_group,
    answers_special_questions,
    granted_special_category and not withdrew_special_category as is_special_category_permitted,
    allows_profiling and not withdraws_profiling as is_profiling_permitted,
    array_to_string(granted_channels, ',') as granted_channels,
    need,
    person_number,
    has_erasure_request,
    -- What truly happened, from the rows before anything was spoilt
    order_count,
    purchase_line_count,
    cast(net_revenue as decimal(18, 2)) as net_revenue,
    day_of(first_day) as first_ordered_on,
    day_of(last_day) as last_ordered_on,
    has_web_event,
    has_open_cart,
    is_support_waiting,
    contact_count,
    click_count,
    conversion_count,
    cast(unsubscribed_at as date) as unsubscribed_on,
    referral_count,
    kept_referral_count,
    referred_by_customer_id
from joined;

-- Who was in which group of which experiment, and whether the contact itself brought an order.
-- Grain: one row per experimental campaign and customer.
create or replace table truth_campaign_assignments as
select
    chosen.n as customer_number,
    chosen.campaign_id,
    'C' || cast(10000000 + chosen.n as varchar) as customer_id,
    if(is_control, 'control', 'treated') as assigned_group,
    uplift_type,
    true_uplift,
    day_of(sent_day) as contacted_on,
    'O' || cast(100000000000 + plain_orders.order_number as varchar) as caused_order_id
from chosen
left join plain_orders on chosen.n = plain_orders.n and chosen.message_key = plain_orders.caused_by_message
where is_experiment and message_key % 2 = 0;
