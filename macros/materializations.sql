{#-
    Tables and views on DuckDB replace what stands under their name within one transaction: whoever reads sees the old one or the new one.
    dbt-duckdb's own build beside it, rename both and drop what was there: three times the statements, and the night of a small retailer is
    mostly statements. Hooks and contracts are dbt's as ever; indexes, foreign keys, grants and persisted descriptions are not looked
    after, because no model of this project has any.
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
