{#-
    Makes an empty table for a source that this project writes itself, with the columns its YAML names, unless it is there.
    So dbt works on its own, before the first night has written anything. For a pre_hook of the staging model that reads the source.
-#}
{% macro ensure_source_table(source_name, table_name) -%}
    {%- if execute -%}
        {%- set relation = source(source_name, table_name) -%}
        {%- set found = graph.sources.values() | selectattr('source_name', 'equalto', source_name) | selectattr('name', 'equalto', table_name) | first -%}
        {%- do run_query('create schema if not exists ' ~ relation.without_identifier()) -%}
        create table if not exists {{ relation }} (
            {%- for column in found.columns.values() %}
            {{ adapter.quote(column.name) }} {{ column.data_type }}{{ ',' if not loop.last }}
            {%- endfor %}
        )
    {%- else -%}
        select 1
    {%- endif -%}
{%- endmacro %}
