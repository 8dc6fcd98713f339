{#- The day described, as a date literal. A model never asks the clock: without the variable nothing compiles. -#}
{% macro as_of_date() -%}
    {%- set day = var('as_of_date', none) -%}
    {%- if day is none and execute -%}
        {{ exceptions.raise_compiler_error("as_of_date is not set: run `segments nightly --as-of YYYY-MM-DD`, or pass --vars '{as_of_date: YYYY-MM-DD}' to dbt") }}
    {%- endif -%}
    cast('{{ day }}' as date)
{%- endmacro %}
