with

landed as {{ inlined() }} (
    {{ landed_rows(source('landing', 'referrals')) }}
),

known_customers as {{ inlined() }} (
    select customer_id as known_customer_id from {{ ref('stg_customers') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('referrer_customer_id') }} as referrer_customer_id,
        {{ clean_text('referred_customer_id') }} as referred_customer_id,
        cast(referred_at as timestamp) as referred_at,
        {{ landing_columns() }}
    from landed
),

{{ staged_rows(
    key=['referrer_customer_id', 'referred_customer_id', 'referred_at'],
    required=['referrer_customer_id', 'referred_at'],
    impossible={
        'referred_at is 1970-01-01 or before, or over a year after loading': out_of_time('referred_at'),
        'the customer refers themself': "referrer_customer_id = referred_customer_id"
    },
    customer='referrer_customer_id',
    dates={'referred_date': 'referred_at'}
) }}

select * from final
