-- Answers of special categories of data, of those customers alone who allow it today. A view, so that nothing is kept of them here.
-- Nothing but customer_socio_cultural_features may read this model.
{{ config(materialized='view') }}

with answers as (

    select * from {{ ref('stg_survey_answers') }}

),

permissions as (

    select * from {{ ref('int_special_category_permissions') }}

),

survey_traits as (

    select * from {{ ref('survey_traits') }}

),

-- One special row makes the whole question special.
special_questions as (

    select distinct question
    from survey_traits
    where classification = 'special_category'

),

permitted as (

    select
        answers.customer_id,
        {{ normalised('answers.question') }} as question,
        {{ normalised('answers.answer') }} as answer,
        answers.answered_at,
        answers.answered_date
    from answers
    inner join permissions on answers.customer_id = permissions.customer_id
    where answers.answered_date < {{ as_of_date() }}

),

-- The latest answer to a question counts.
ranked as (

    select
        permitted.*,
        row_number() over (
            partition by permitted.customer_id, permitted.question
            order by permitted.answered_at desc, permitted.answer asc
        ) as answer_rank
    from permitted
    inner join special_questions on permitted.question = special_questions.question

),

final as (

    select
        customer_id,
        question,
        answer,
        answered_at,
        answered_date
    from ranked
    where answer_rank = 1

)

select * from final
