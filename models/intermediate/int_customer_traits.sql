-- What the answers say, by the rows of seeds/survey_traits.csv: a new industry's question is a new row there and nothing here.
with answers as (

    select * from {{ ref('int_survey_answers') }}

),

survey_traits as (

    select * from {{ ref('survey_traits') }}
    where trait <> 'none'

),

final as (

    select
        answers.customer_id,
        answers.question,
        survey_traits.trait_family,
        survey_traits.trait,
        survey_traits.trait_group,
        answers.answered_at,
        answers.answered_date
    from answers
    inner join survey_traits
        on
            answers.question = survey_traits.question
            and (answers.answer = survey_traits.answer or survey_traits.answer = '*')

)

select * from final
