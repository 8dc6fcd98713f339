{#-
    Declares every raw table of the contract, without rows, in schema `landing` of the working database: dbt's unit tests ask a
    source's relation for its columns, and the night's raw tables are files that have none. Tables that exist are left alone.
    Needed by unit tests only: `dbt run-operation declare_raw_tables`, in a database made for tests.
-#}
{% macro declare_raw_tables() -%}
    {%- for source in graph.sources.values() if source.source_name == 'landing' -%}
        {%- if loop.first -%}
            {%- do adapter.create_schema(api.Relation.create(database=source.database, schema=source.schema)) -%}
        {%- endif -%}
        {%- set declaration -%}
            create table if not exists {{ api.Relation.create(database=source.database, schema=source.schema, identifier=source.name) }} (
                {% for column in source.columns.values() -%}
                {{ column.name }} {{ column.data_type }},
                {% endfor -%}
                loaded_at timestamp,
                source_file string,
                source_row bigint,
                unreadable_columns string,
                row_as_it_came string,
                batch string
            )
        {%- endset -%}
        {%- do run_query(declaration) -%}
    {%- endfor -%}
{%- endmacro %}
