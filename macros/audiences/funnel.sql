{#-
    The steps of the funnels: the conditions of the outermost `all` of each audience, one after the other.
    Result: [{audience, step, text, sql, column}], column beginning the names of its counts in audience_funnel_counts.
-#}
{% macro audience_funnel_steps(definitions) -%}
    {%- set steps = [] -%}
    {%- for name, definition in definitions.items() -%}
        {%- set place = loop.index -%}
        {%- for part in definition['members'].get('all') or [definition['members']] -%}
            {%- do steps.append({
                'audience': name,
                'step': loop.index,
                'text': audience_condition_words(part),
                'sql': '(' ~ audience_condition(part, audience_new_plan(), definitions, [name]) ~ ')',
                'column': 'audience_' ~ place ~ '_step_' ~ loop.index,
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(steps) }}
{%- endmacro %}

{#- One row: how many customers there are, and of each step how many meet it, and how many meet it and all before it. One scan of the facts. -#}
{% macro audience_funnel_counts_query(facts, definitions) -%}
    {%- set so_far = {} %}
    select
        {%- for step in audience_funnel_steps(definitions) %}
        {%- do so_far.update({step.audience: so_far.get(step.audience, []) + [step.sql]}) %}
        count(*) filter (where {{ step.sql }}) as {{ step.column }}_meeting,
        count(*) filter (where {{ so_far[step.audience] | join(' and ') }}) as {{ step.column }}_left,
        {%- endfor %}
        count(*) as customers
    from {{ facts }}
{%- endmacro %}

{#- These counts as rows: one for each audience and step. -#}
{% macro audience_funnel_rows(counts, definitions) -%}
    {%- set before = {} -%}
    {%- for step in audience_funnel_steps(definitions) %}
    select
        {{ text_literal(step.audience) }} as audience_id,
        {{ step.step }} as step,
        {{ text_literal(step.text) }} as condition_text,
        {{ step.column }}_meeting as customers_meeting,
        {{ step.column }}_left as customers_left,
        {{ before.get(step.audience, 'customers') }} - {{ step.column }}_left as customers_removed
    from {{ counts }}
    {%- do before.update({step.audience: step.column ~ '_left'}) %}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
