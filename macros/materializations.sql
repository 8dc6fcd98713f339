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

{#-
    An incremental model is written as its strategy says. dbt-duckdb's own asks for the columns of both tables twice or thrice, each time by
    a macro of its own, which takes longer than writing the rows of a small retailer; here they are asked for once. Whether columns may
    change is on_schema_change, as ever.
-#}
{% materialization incremental, adapter='duckdb' %}
    {%- set standing = load_cached_relation(this) -%}
    {%- if standing is none or standing.is_view or should_full_refresh() -%}
        {{ return(replace_relation(this.incorporate(type='table'))) }}
    {%- endif -%}
    {%- set fresh = make_temp_relation(standing) -%}
    {%- set strategy = adapter.get_incremental_strategy_macro(context, config.get('incremental_strategy') or 'default') -%}
    {{ run_hooks(pre_hooks) }}
    {%- do run_query(get_create_table_as_sql(True, fresh, sql)) -%}
    {%- set written = {
        'target_relation': standing,
        'temp_relation': fresh,
        'unique_key': config.get('unique_key'),
        'dest_columns': columns_to_write(fresh, standing),
        'incremental_predicates': none
    } -%}
    {%- call statement('main') %}
        {{ strategy(written) }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [standing]}) }}
{% endmaterialization %}

{#- The columns, each with its name, that go from a temporary table into a standing one. Where the two differ, on_schema_change decides. -#}
{% macro columns_to_write(fresh, standing) -%}
    {%- set columns = run_query(
        'select true as is_fresh, column_name, column_type from (describe ' ~ fresh ~ ')'
        ~ ' union all select false, column_name, column_type from (describe ' ~ standing ~ ')'
    ) -%}
    {%- set of_fresh, of_standing = {}, {} -%}
    {%- for is_fresh, name, type in columns.rows -%}
        {%- do (of_fresh if is_fresh else of_standing).update({name: type}) -%}
    {%- endfor -%}
    {%- if of_fresh == of_standing -%}
        {%- set names = [] -%}
        {%- for name in of_standing -%}{%- do names.append({'name': name}) -%}{%- endfor -%}
        {{ return(names) }}
    {%- endif -%}
    {{ return(process_schema_changes(config.get('on_schema_change') or 'ignore', fresh, standing) or adapter.get_columns_in_relation(standing)) }}
{%- endmacro %}

{#- The body of whatever is written whole: replaces what stands in the place of `relation` by what the model selects; returns what dbt wants to know of a materialization. -#}
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
