with referrals as (

    select * from {{ ref('stg_referrals') }}
    where referred_date < {{ as_of_date() }}

),

profiles as (

    select * from {{ ref('stg_customers') }}
    where
        referred_by_customer_id is not null
        and referred_by_customer_id <> customer_id

),

customers as (

    select * from {{ ref('int_customers') }}

),

orders as (

    select * from {{ ref('customer_order_features') }}

),

limits as (

    select cast({{ threshold('advocacy_referral_window_days') }} as integer) as window_days

),

-- Two traces of the same thing: the referral itself, and the new customer's word on who sent them.
traces as (

    select
        referrer_customer_id,
        referred_customer_id,
        referred_date
    from referrals
    where referred_customer_id is not null
    union all
    select
        profiles.referred_by_customer_id as referrer_customer_id,
        profiles.customer_id as referred_customer_id,
        customers.customer_since_date as referred_date
    from profiles
    inner join customers on profiles.customer_id = customers.customer_id
    where customers.customer_since_date is not null

),

-- A new customer is credited once, to whoever came first.
numbered as (

    select
        *,
        row_number() over (
            partition by referred_customer_id
            order by referred_date, referrer_customer_id
        ) as trace_number
    from traces

),

credited as (

    select
        numbered.referrer_customer_id,
        numbered.referred_date,
        -- Somebody who bought before being referred was a customer already.
        coalesce(orders.first_order_date >= numbered.referred_date, false) as is_kept
    from numbered
    left join orders on numbered.referred_customer_id = orders.customer_id
    where numbered.trace_number = 1
    union all
    -- An invitation that nobody has taken up yet names nobody.
    select
        referrer_customer_id,
        referred_date,
        false as is_kept
    from referrals
    where referred_customer_id is null

),

final as (

    select
        credited.referrer_customer_id as customer_id,
        count(*) as referrals_made,
        count(*) filter (where credited.is_kept) as referrals_kept,
        count(*) filter (
            where credited.referred_date >= {{ days_before(as_of_date(), 'limits.window_days') }}
        ) as recent_referrals_made,
        count(*) filter (
            where credited.is_kept and credited.referred_date >= {{ days_before(as_of_date(), 'limits.window_days') }}
        ) as recent_referrals_kept,
        max(credited.referred_date) as last_referral_date
    from credited
    cross join limits
    group by credited.referrer_customer_id

)

select * from final
