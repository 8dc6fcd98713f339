-- Referrals of the bucket's customers, and invitations that nobody took up. Grain: one row per referral.
create or replace table clean_referrals as
select referral_pairs.referrer_n as n, referrer_customer_id, referred_customer_id, referred_at, referred_buys
from referral_pairs
inner join people on referral_pairs.referrer_n = people.n
union all
select
    n,
    customer_id,
    null,
    midnight_of(first_order_day) + to_seconds(draw_below('invitation', n, 1, (getvariable('window_days') - 1 - first_order_day) * 86400)),
    false
from people
where (advocacy = 'ambassador' and draw('invitation', n, 0) < 0.6)
    or (advocacy = 'promoter' and rhythm != 'none' and draw('invitation', n, 0) < 0.06);
