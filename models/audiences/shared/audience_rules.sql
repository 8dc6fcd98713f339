-- What stands in the files beside the conditions, as rows: who answers for an audience, and how it may be contacted.
with final as (
{%- do ref('thresholds') %}
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
        cast({{ definition.get('minimum_size') or threshold('audience_minimum_size') }} as integer) as minimum_size
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
{%- endif %}
)

select * from final
