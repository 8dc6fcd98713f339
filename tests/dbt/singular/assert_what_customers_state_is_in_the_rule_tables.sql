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

texts as (

    {% for column, attribute in attributes.items() -%}
    select
        'attribute_values' as seed,
        '{{ column }}' as of_what,
        '{{ attribute }}' as looked_up_as,
        {{ normalised(column) }} as text_as_it_came
    from customers
    union all
    {% endfor -%}
    select
        'age_bands' as seed,
        'age_band' as of_what,
        'age_band' as looked_up_as,
        {{ normalised('age_band') }} as text_as_it_came
    from customers
    union all
    select
        'income_bands' as seed,
        'income_band' as of_what,
        'income_band' as looked_up_as,
        {{ normalised('income_band') }} as text_as_it_came
    from customers
    union all
    select
        'survey_traits' as seed,
        'question' as of_what,
        'question' as looked_up_as,
        {{ normalised('question') }} as text_as_it_came
    from {{ ref('stg_survey_answers') }}
    union all
    -- Of special categories the answers are not looked at, not even here.
    select
        'survey_traits' as seed,
        'answer to ' || question as of_what,
        'answer to ' || question as looked_up_as,
        answer as text_as_it_came
    from {{ ref('int_survey_answers') }}
    union all
    select
        'ticket_topic_needs' as seed,
        'topic' as of_what,
        'topic' as looked_up_as,
        {{ normalised('topic') }} as text_as_it_came
    from {{ ref('stg_support_tickets') }}

),

known as (

    select
        attribute as looked_up_as,
        value as known_text
    from {{ ref('attribute_values') }}
    union all
    select
        'age_band' as looked_up_as,
        age_band as known_text
    from {{ ref('age_bands') }}
    union all
    select
        'income_band' as looked_up_as,
        income_band as known_text
    from {{ ref('income_bands') }}
    union all
    select distinct
        'question' as looked_up_as,
        question as known_text
    from {{ ref('survey_traits') }}
    union all
    select
        'answer to ' || question as looked_up_as,
        answer as known_text
    from {{ ref('survey_traits') }}
    union all
    select
        'topic' as looked_up_as,
        topic as known_text
    from {{ ref('ticket_topic_needs') }}

),

counted as (

    select
        seed,
        of_what,
        looked_up_as,
        text_as_it_came,
        count(*) as times
    from texts
    where text_as_it_came is not null
    group by seed, of_what, looked_up_as, text_as_it_came

)

select
    counted.seed,
    counted.of_what,
    counted.text_as_it_came,
    counted.times
from counted
left join known
    on
        counted.looked_up_as = known.looked_up_as
        and (counted.text_as_it_came = known.known_text or known.known_text = '*')
where
    known.known_text is null
    and not (counted.looked_up_as = 'people' and try_cast(counted.text_as_it_came as integer) is not null)
