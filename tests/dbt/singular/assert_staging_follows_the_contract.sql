-- Staging hands on every column of the raw contract, by the same name and type: a column added to _sources.yml and
-- forgotten in its model would be lost without a word.
-- depends_on: {{ ref('row_reconciliation') }}
{%- set missing = [] -%}
{%- if execute -%}
{%- for source in graph.sources.values() if source.source_name == 'landing' -%}
{%- for model in graph.nodes.values() if model.resource_type == 'model' and model.name == 'stg_' ~ source.name -%}
{%- for column in source.columns.values() -%}
{%- if column.name not in model.columns or model.columns[column.name].data_type != column.data_type -%}
                    {%- do missing.append((source.name, column.name, column.data_type)) -%}
                {%- endif -%}
{%- endfor -%}
{%- else -%}
            {%- do missing.append((source.name, '', 'no model')) -%}
        {%- endfor -%}
{%- if source.name not in raw_tables() -%}
            {%- do missing.append((source.name, '', 'not in raw_tables()')) -%}
        {%- endif -%}
{%- endfor -%}
{%- endif %}

{% for table_name, column_name, data_type in missing %}
    select
        '{{ table_name }}' as table_name,
        '{{ column_name }}' as column_name,
        '{{ data_type }}' as data_type
    {{ 'union all' if not loop.last }}
{% else %}
select 'none' as table_name
where false
{% endfor %}
