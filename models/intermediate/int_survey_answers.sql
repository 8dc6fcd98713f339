-- Every answer but those of special categories, and only of questions that somebody has classified:
-- a question without a row in seeds/survey_traits.csv is withheld, because it may be of a special category.
-- Nothing but this model and int_special_category_answers may read stg_survey_answers.
with answers as (

    select * from {{ ref('stg_survey_answers') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

survey_traits as (

    select * from {{ ref('survey_traits') }}

),

-- One special row makes the whole question special.
ordinary_questions as (

    select question
    from survey_traits
    group by question
    having min(classification) = 'ordinary' and max(classification) = 'ordinary'

),

normalised as (

    select
        answers.customer_id,
        {{ normalised('answers.question') }} as question,
        {{ normalised('answers.answer') }} as answer,
        {{ normalised('answers.origin') }} as origin,
        answers.answered_at,
        answers.answered_date
    from answers
    where answers.answered_date < {{ as_of_date() }}

),

-- The latest answer to a question counts.
ranked as (

    select
        normalised.*,
        row_number() over (
            partition by normalised.customer_id, normalised.question
            order by normalised.answered_at desc, normalised.answer asc
        ) as answer_rank
    from normalised
    inner join customers on normalised.customer_id = customers.customer_id
    inner join ordinary_questions on normalised.question = ordinary_questions.question

),

final as (

    select
        customer_id,
        question,
        answer,
        origin,
        answered_at,
        answered_date
    from ranked
    where answer_rank = 1

)

select * from final
