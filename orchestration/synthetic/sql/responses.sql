-- Messages as they were sent and answered, and the coupons that were redeemed.
create or replace table clean_campaign_contacts as
with credited as (
    select n, message_key, order_number
    from conversions
)

select
    chosen.n,
    'M' || cast(chosen.n * 10000 + chosen.message_key as varchar) as contact_id,
    chosen.campaign_id,
    'C' || cast(10000000 + chosen.n as varchar) as customer_id,
    chosen.channel,
    chosen.sent_at,
    chosen.delivered_at,
    chosen.opened_at,
    chosen.clicked_at,
    'O' || cast(100000000000 + credited.order_number as varchar) as converted_order_id,
    chosen.unsubscribed_at
from chosen
left join credited on chosen.n = credited.n and chosen.message_key = credited.message_key
where not chosen.is_control;

create or replace table clean_coupon_redemptions as
select
    n,
    'V' || cast(order_number as varchar) as redemption_id,
    customer_id,
    coalesce('Q' || cast(coupon_campaign_number as varchar), 'QBOOK' || cast(month(day) as varchar)) as coupon_id,
    coupon_campaign_id as campaign_id,
    -- The till did not always write down the order.
    if(draw('coupon order', n, order_key) < 0.02, null, 'O' || cast(100000000000 + order_number as varchar)) as order_id,
    ordered_at as redeemed_at
from orders
where has_coupon and status = 'completed';
