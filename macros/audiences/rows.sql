{#- What stands in the files beside the conditions: a row for each audience. -#}
{% macro audience_rule_rows() -%}
    {%- do threshold('audience_minimum_size') -%}
    {%- if execute %}
    {%- for name, definition in audience_definitions().items() %}
    {%- set priority = definition.get('priority', {}) %}
    select
        {{ text_literal(name) }} as audience_id,
        {{ text_literal(definition['name']) }} as name,
        {{ text_literal(definition['description']) }} as description,
        {{ text_literal(definition['owner']) }} as owner,
        {{ audience_date(definition['last_reviewed']) }} as last_reviewed,
        {{ text_literal(definition.get('purpose', 'marketing')) }} as purpose,
        {{ text_literal(definition['channel']) }} as channel,
        cast({{ definition.get('holdout_percent', 0) }} as decimal(5, 2)) as holdout_percent,
        {{ text_literal(audience_holdout_limit(definition.get('holdout_percent', 0))) }} as holdout_limit,
        {{ text_literal(priority.get('group', name)) }} as priority_group,
        cast({{ priority.get('rank', 1) }} as integer) as priority_rank,
        cast({{ definition.get('minimum_size') or threshold('audience_minimum_size') }} as integer) as minimum_size,
        '{{ local_md5(definition | string) }}' as definition_hash
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
    {%- endif %}
{%- endmacro %}

{#- The members of all audiences, one query after the other. -#}
{% macro audience_member_rows() -%}
    {%- for name in audiences() %}
    select
        customer_id,
        as_of_date,
        '{{ name }}' as audience_id
    from {{ ref(name) }}
    {{- ' union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
