{#-
    The landed rows that a base table has to stage, as the body of a CTE: all of them, or in a run that stages only what is new those of
    batches it does not have. A batch is landed whole, never changes, and its id begins with the time of its landing, so everything after
    the newest batch in the table is new. The id is a literal, so that the files of older batches are not opened.

    The variable as_known_at leaves out what was landed after that time. A table that holds later rows already cannot forget them.

    table: the relation of a raw table.
-#}
{% macro landed_rows(table) -%}
    {%- set conditions = [] -%}
    {%- if var('as_known_at') -%}
        {%- set moment = "cast('" ~ var('as_known_at') ~ "' as timestamp)" -%}
        {%- do conditions.append('loaded_at <= ' ~ moment) -%}
        {%- if stages_only_what_is_new() and run_query('select count(*) from ' ~ this ~ ' where loaded_at > ' ~ moment).rows[0][0] -%}
            {{ exceptions.raise_compiler_error(this.identifier ~ ' holds rows landed after ' ~ var('as_known_at') ~ ': run with --full-refresh, on a copy of the working database') }}
        {%- endif -%}
    {%- endif -%}
    {%- if stages_only_what_is_new() -%}
        {%- do conditions.append("batch > '" ~ newest_staged_batch() ~ "'") -%}
    {%- endif -%}
    select * from {{ table }}
    {%- if conditions %}
    where {{ conditions | join(' and ') }}
    {%- endif -%}
{%- endmacro %}

{#-
    The id of the newest batch in the table that is being written; before the first one an empty text.
    In two steps, because DuckDB knows the greatest time without reading, and then reads one block.
-#}
{% macro newest_staged_batch() -%}
    {%- set loaded_at = run_query('select max(loaded_at) from ' ~ this).rows[0][0] -%}
    {%- if loaded_at is none -%}
        {{ return('') }}
    {%- endif -%}
    {{ return(run_query('select max(batch) from ' ~ this ~ " where loaded_at = timestamp '" ~ loaded_at ~ "'").rows[0][0]) }}
{%- endmacro %}

{#- The columns that landing adds to every raw table, typed. -#}
{% macro landing_columns() -%}
    cast(loaded_at as timestamp) as loaded_at,
        cast(source_file as string) as source_file,
        cast(source_row as bigint) as source_row,
        cast(batch as string) as batch,
        cast(unreadable_columns as string) as unreadable_columns,
        cast(row_as_it_came as string) as row_as_it_came
{%- endmacro %}

{#-
    Keeps a CTE that is read more than once from being held in memory: DuckDB would copy every landed row there
    (10 million order lines: 3.2 GB held, 1.1 GB inlined, and 10 % less CPU). Spark inlines by itself.
    Written between `as` and the bracket of a CTE.
-#}
{% macro inlined() -%}
    {{ return(adapter.dispatch('inlined', 'customer_segments')()) }}
{%- endmacro %}

{% macro default__inlined() -%}
    not materialized
{%- endmacro %}

{% macro spark__inlined() -%}
{%- endmacro %}
