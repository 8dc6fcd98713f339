{#-
    The body of a file of models/audiences: the members of one audience, from its definition (YAML, docs/audiences.md).

    What it names is known to dbt when it parses the file. The figures come from audience_facts, where they are computed for all
    audiences together; here is only the predicate, so an audience costs a scan of a few columns.
-#}
{% macro audience(definition) -%}
    {%- set members = fromyaml(definition)['members'] -%}
    {{- config(meta={'audience': definition}) -}}
    {%- for name in audience_refs(members) | unique -%}{%- do ref(name) -%}{%- endfor %}
with facts as (

    select * from {{ ref('audience_facts') }}

),

final as (

    select
        customer_id,
        as_of_date
    from facts
    {%- if execute %}
    where {{ audience_condition(members, audience_new_plan(), audience_definitions(), [model.name]) }}
    {%- endif %}

)

select * from final
{%- endmacro %}

{#- The audiences that a condition names. Features, segments and events are read by audience_facts. -#}
{% macro audience_refs(node) -%}
    {%- set names = [] -%}
    {%- if 'audience' in node -%}
        {%- do names.append(node['audience']) -%}
    {%- elif 'not' in node -%}
        {%- do names.extend(audience_refs(node['not'])) -%}
    {%- else -%}
        {%- for part in node.get('all') or node.get('any') or [] -%}{%- do names.extend(audience_refs(part)) -%}{%- endfor -%}
    {%- endif -%}
    {{ return(names) }}
{%- endmacro %}

{#- Every definition, {audience: definition}, by name: from the files, as dbt has parsed them. -#}
{% macro audience_definitions() -%}
    {%- set texts = {} -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.meta.audience is defined -%}
        {%- do texts.update({node.name: node.config.meta.audience}) -%}
    {%- endfor -%}
    {%- set definitions = {} -%}
    {%- for name in texts | sort -%}{%- do definitions.update({name: fromyaml(texts[name])}) -%}{%- endfor -%}
    {{ return(definitions) }}
{%- endmacro %}

{#- What all these audiences need of a customer. -#}
{% macro audience_plan(definitions) -%}
    {%- set plan = audience_new_plan() -%}
    {%- for name, definition in definitions.items() -%}
        {%- do audience_condition(definition['members'], plan, definitions, [name]) -%}
    {%- endfor -%}
    {%- for comeback in plan.comebacks.values() -%}{%- do audience_comeback_first(plan, comeback) -%}{%- endfor -%}
    {{ return(plan) }}
{%- endmacro %}
