with

landed as {{ inlined() }} (
    {{ landed_rows(source('landing', 'consents')) }}
),

known_customers as {{ inlined() }} (
    select customer_id as known_customer_id from {{ ref('stg_customers') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('customer_id') }} as customer_id,
        {{ clean_code('purpose') }} as purpose,
        coalesce({{ clean_code('channel') }}, 'any') as channel,
        cast(is_granted as boolean) as is_granted,
        cast(changed_at as timestamp) as changed_at,
        {{ landing_columns() }}
    from landed
),

{{ staged_rows(
    key=['customer_id', 'purpose', 'channel', 'changed_at'],
    required=['customer_id', 'purpose', 'is_granted', 'changed_at'],
    impossible={
        'changed_at is 1970-01-01 or before, or over a year after loading': out_of_time('changed_at')
    },
    customer='customer_id',
    dates={'changed_date': 'changed_at'},
    of_equal_age=['is_granted']
) }}

select * from final
