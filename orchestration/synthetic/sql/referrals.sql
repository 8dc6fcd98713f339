-- Who brought whom, over all buckets: ambassadors bring customers who sign up after them. Grain: one row per referral.
create or replace table referral_pairs as
with referrers as (
    select
        n as referrer_n,
        customer_id as referrer_customer_id,
        first_order_day,
        row_number() over (order by first_order_day, n) as referrer_rank
    from planted_people
    where advocacy = 'ambassador'
),

referred as (
    select n, customer_id, signed_up_day, rhythm != 'none' as referred_buys, draw('referrer', n, 0) as referrer_draw
    from planted_people
    where first_order_day > getvariable('window_days') / 5
        and signed_up_day > 0
        and advocacy != 'ambassador'
        and draw('referred', n, 0) < parameter('referred_share')
),

last_ranks as (
    select first_order_day, max(referrer_rank) as last_rank
    from referrers
    group by first_order_day
),

available as (
    select referred.*, last_ranks.last_rank
    from referred
    asof join last_ranks on referred.signed_up_day > last_ranks.first_order_day
),

final as (
    select
        referrers.referrer_n,
        referrers.referrer_customer_id,
        available.n,
        available.customer_id as referred_customer_id,
        available.referred_buys,
        midnight_of(available.signed_up_day)
        - to_seconds(draw_below('referral time', available.n, 0, 150000)) as referred_at
    from available
    inner join referrers on referrers.referrer_rank = 1 + cast(floor(available.referrer_draw * available.last_rank) as bigint)
)

select *
from final;
