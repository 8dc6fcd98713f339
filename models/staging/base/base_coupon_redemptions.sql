with

landed as {{ inlined() }} (
    {{ landed_rows(source('landing', 'coupon_redemptions')) }}
),

known_customers as {{ inlined() }} (
    select customer_id as known_customer_id from {{ ref('stg_customers') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('redemption_id') }} as redemption_id,
        {{ clean_text('customer_id') }} as customer_id,
        {{ clean_text('coupon_id') }} as coupon_id,
        {{ clean_text('campaign_id') }} as campaign_id,
        {{ clean_text('order_id') }} as order_id,
        cast(redeemed_at as timestamp) as redeemed_at,
        {{ landing_columns() }}
    from landed
),

{{ staged_rows(
    key=['redemption_id'],
    required=['redemption_id', 'customer_id', 'redeemed_at'],
    impossible={
        'redeemed_at is 1970-01-01 or before, or over a year after loading': out_of_time('redeemed_at')
    },
    customer='customer_id',
    dates={'redeemed_date': 'redeemed_at'}
) }}

select * from final
