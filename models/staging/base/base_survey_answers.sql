with

landed as {{ inlined() }} (
    {{ landed_rows(source('landing', 'survey_answers')) }}
),

known_customers as {{ inlined() }} (
    select customer_id as known_customer_id from {{ ref('stg_customers') }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('customer_id') }} as customer_id,
        {{ clean_text('question') }} as question,
        {{ clean_text('answer') }} as answer,
        cast(answered_at as timestamp) as answered_at,
        {{ clean_code('origin') }} as origin,
        {{ landing_columns() }}
    from landed
),

{{ staged_rows(
    key=['customer_id', 'question', 'answered_at'],
    required=['customer_id', 'question', 'answer', 'answered_at'],
    impossible={
        'answered_at is 1970-01-01 or before, or over a year after loading': out_of_time('answered_at')
    },
    customer='customer_id',
    dates={'answered_date': 'answered_at'}
) }}

select * from final
