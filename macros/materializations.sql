{#-
    Tables and views on DuckDB replace what stands under their name within one transaction: whoever reads sees the old one or the new one.
    dbt-duckdb builds beside it, renames both and drops what was there, for engines whose DDL is in no transaction: as many statements
    again, and on a small retailer a night is mostly statements. Hooks, contracts and what is selected are dbt's own.
-#}
{% materialization table, adapter='duckdb' %}
    {{ return(replace_relation(this.incorporate(type='table'))) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {{ return(replace_relation(this.incorporate(type='view'))) }}
{% endmaterialization %}

{#- The body of both: replaces what stands in the place of `relation` by what the model selects; returns what dbt wants to know of a materialization. -#}
{% macro replace_relation(relation) -%}
    {%- set standing = load_cached_relation(relation) -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') %}
        {%- if standing is not none %}
            drop {{ standing.type }} {{ standing }};
        {%- endif %}
        {{ get_create_table_as_sql(False, relation, sql) if relation.is_table else get_create_view_as_sql(relation, sql) }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [relation]}) }}
{%- endmacro %}
