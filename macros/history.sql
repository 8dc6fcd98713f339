{#-
    History tables are written a day at a time: a run replaces the days it writes and leaves the others.
    They are never rebuilt from nothing, because what was recorded on a past day cannot be had again.
-#}
{% macro configure_history() -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='insert_overwrite' if target.type == 'spark' else 'delete+insert',
        unique_key='as_of_date',
        partition_by=['as_of_date'] if target.type == 'spark' else none,
        full_refresh=false,
        on_schema_change='append_new_columns',
    ) }}
{%- endmacro %}
