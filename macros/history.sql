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

{#- What the log of membership changes holds so far; before its first day nothing, with the right types. A body for a CTE. -#}
{% macro recorded_changes() -%}
    {%- if is_incremental() -%}
        select * from {{ this }}
    {%- else -%}
        select
            cast(null as date) as as_of_date,
            cast(null as {{ dbt.type_string() }}) as customer_id,
            cast(null as {{ dbt.type_string() }}) as segmentation,
            cast(null as {{ dbt.type_string() }}) as segment_before,
            cast(null as {{ dbt.type_string() }}) as segment_after
        where 1 = 0
    {%- endif -%}
{%- endmacro %}
