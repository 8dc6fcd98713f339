with

landed as {{ inlined() }} (
    {{ landed_rows(source('landing', 'erasure_requests')) }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('customer_id') }} as customer_id,
        cast(requested_at as timestamp) as requested_at,
        {{ landing_columns() }}
    from landed
),

{{ staged_rows(
    key=['customer_id', 'requested_at'],
    required=['customer_id', 'requested_at'],
    impossible={
        'requested_at is 1970-01-01 or before, or over a year after loading': out_of_time('requested_at')
    },
    dates={'requested_date': 'requested_at'}
) }}

select * from final
