with

base as (
    select * from {{ ref('base_referrals') }}
),

final as (
    select
        referrer_customer_id,
        referred_customer_id,
        referred_at,
        referred_date
    from base
    where row_status = 'used'
)

select * from final
