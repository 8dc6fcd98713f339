-- Why: a text that no rule table knows says nothing, and nobody notices. Each row here is one row to add to the seed it names
-- (with the code `unknown`, the trait or the need `none` where the text really says nothing). A warning: nothing is wrong with the night.
{{ config(severity='warn') }}

{%- set attributes = {
    'gender': 'gender',
    'marital_status': 'marital_status',
    'household_size': 'people',
    'children': 'people',
    'education': 'education',
    'occupation': 'occupation',
    'job_level': 'job_level',
    'home_ownership': 'home_ownership',
} %}

with customers as (

    select * from {{ ref('stg_customers') }}

),

answered_questions as (

    select {{ normalised('question') }} as question
    from {{ ref('stg_survey_answers') }}

),

topics as (

    select {{ normalised('topic') }} as topic
    from {{ ref('stg_support_tickets') }}

),

{% for column, attribute in attributes.items() %}
{{ column }}_texts as (

    select
        'attribute_values' as seed,
        '{{ column }}' as of_what,
        {{ normalised(column) }} as text_as_it_came
    from customers
    where
        {{ normalised(column) }} not in (select value from {{ ref('attribute_values') }} where attribute = '{{ attribute }}')
        {%- if attribute == 'people' %}
        and try_cast({{ column }} as integer) is null
        {%- endif %}

),

{% endfor %}

age_bands as (

    select
        'age_bands' as seed,
        'age_band' as of_what,
        {{ normalised('age_band') }} as text_as_it_came
    from customers
    where {{ normalised('age_band') }} not in (select age_band from {{ ref('age_bands') }})

),

income_bands as (

    select
        'income_bands' as seed,
        'income_band' as of_what,
        {{ normalised('income_band') }} as text_as_it_came
    from customers
    where {{ normalised('income_band') }} not in (select income_band from {{ ref('income_bands') }})

),

questions as (

    select
        'survey_traits' as seed,
        'question' as of_what,
        question as text_as_it_came
    from answered_questions
    where question not in (select question from {{ ref('survey_traits') }})

),

-- Of special categories the answers are not looked at, not even here.
answers as (

    select
        'survey_traits' as seed,
        'answer to ' || answers.question as of_what,
        answers.answer as text_as_it_came
    from {{ ref('int_survey_answers') }} as answers
    left join {{ ref('survey_traits') }} as survey_traits
        on
            answers.question = survey_traits.question
            and (answers.answer = survey_traits.answer or survey_traits.answer = '*')
    where survey_traits.question is null

),

ticket_topics as (

    select
        'ticket_topic_needs' as seed,
        'topic' as of_what,
        topic as text_as_it_came
    from topics
    where topic not in (select topic from {{ ref('ticket_topic_needs') }})

),

found as (

    {% for column in attributes -%}
    select * from {{ column }}_texts
    union all
    {% endfor -%}
    select * from age_bands
    union all
    select * from income_bands
    union all
    select * from questions
    union all
    select * from answers
    union all
    select * from ticket_topics

)

select
    seed,
    of_what,
    text_as_it_came,
    count(*) as times
from found
group by seed, of_what, text_as_it_came
