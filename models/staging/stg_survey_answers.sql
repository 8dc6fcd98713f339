with

base as (
    select * from {{ ref('base_survey_answers') }}
),

final as (
    select
        customer_id,
        question,
        answer,
        answered_at,
        origin,
        answered_date
    from base
    where row_status = 'used'
)

select * from final
