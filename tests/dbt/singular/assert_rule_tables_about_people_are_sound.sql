-- Why: rule tables are edited by hand. A key twice doubles customers, a text with a capital never matches,
-- bands with a gap lose customers silently.
{%- set keys = {
    'attribute_values': ['attribute', 'value'],
    'socio_economic_scores': ['attribute', 'code'],
    'survey_traits': ['question', 'answer', 'trait'],
} %}
{%- set matched_texts = {
    'attribute_values': ['value'],
    'age_bands': ['age_band'],
    'income_bands': ['income_band'],
    'socio_economic_income_scores': ['country'],
    'survey_traits': ['question', 'answer'],
    'ticket_topic_needs': ['topic'],
    'category_needs': ['category'],
} %}

with age_groups as (

    select
        'age_groups' as rule_table,
        age_group as row_of_table,
        age_from as starts_at,
        lag(age_to) over (order by age_from) + 1 as should_start_at,
        0 as lowest
    from {{ ref('age_groups') }}

),

socio_economic_rules as (

    select
        'socio_economic_rules' as rule_table,
        segment as row_of_table,
        score_from as starts_at,
        lag(score_to) over (order by score_from) as should_start_at,
        0 as lowest
    from {{ ref('socio_economic_rules') }}

),

income_scores as (

    select
        'socio_economic_income_scores' as rule_table,
        country as row_of_table,
        income_from as starts_at,
        lag(income_to) over (partition by country order by income_from) as should_start_at,
        0 as lowest
    from {{ ref('socio_economic_income_scores') }}

),

steps as (

    select * from age_groups
    union all
    select * from socio_economic_rules
    union all
    select * from income_scores

)

select
    'gap or overlap' as what,
    rule_table,
    row_of_table
from steps
where starts_at <> coalesce(should_start_at, lowest)

{% for table, columns in keys.items() %}
union all

select
    'key twice' as what,
    '{{ table }}' as rule_table,
    {{ columns | join(" || ' / ' || ") }} as row_of_table
from {{ ref(table) }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endfor %}

{%- for table, columns in matched_texts.items() %}
{%- for column in columns %}
union all

select
    '{{ column }} is not lower case and trimmed' as what,
    '{{ table }}' as rule_table,
    {{ column }} as row_of_table
from {{ ref(table) }}
where {{ column }} <> lower(trim({{ column }}))
{% endfor %}
{%- endfor %}
union all

select
    'ordinary and special_category in one question' as what,
    'survey_traits' as rule_table,
    question as row_of_table
from {{ ref('survey_traits') }}
group by question
having count(distinct classification) > 1
