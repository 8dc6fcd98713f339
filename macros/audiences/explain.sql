{#- Every condition of an audience, in the order of the file: [{path, text, value, sql, is_group}]. -#}
{% macro audience_explained(name, definitions) -%}
    {%- set explained = [] -%}
    {%- do audience_condition(definitions[name]['members'], audience_new_plan(), definitions, [name], explained) -%}
    {{ return(explained) }}
{%- endmacro %}

{#- One row per customer and condition of an audience, over a relation like audience_facts. The value is shown as text: conditions have values of all types. -#}
{% macro audience_explanation_query(name, definitions, facts) -%}
    {%- for condition in audience_explained(name, definitions) %}
    select
        customer_id,
        as_of_date,
        {{ text_literal(name) }} as audience_id,
        {{ text_literal(condition.path) }} as condition_path,
        {{ text_literal(condition.text) }} as condition_text,
        cast({{ condition.value or 'null' }} as string) as value_seen,
        case when {{ condition.sql }} then 'met' when not ({{ condition.sql }}) then 'not met' else 'unknown' end as outcome
    from {{ facts }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The explanations of all audiences. -#}
{% macro audience_explanation_rows(facts) -%}
    {%- if execute -%}
    {%- set definitions = audience_definitions() -%}
    {%- for name in definitions %}
    {{ audience_explanation_query(name, definitions, facts) }}
    {{- ' union all' if not loop.last }}
    {%- endfor %}
    {%- endif -%}
{%- endmacro %}
