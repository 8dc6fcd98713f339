{#- Whole days from one date to a later one, as an integer. -#}
{% macro days_between(start_date, end_date) -%}
    {{ return(adapter.dispatch('days_between', 'customer_segments')(start_date, end_date)) }}
{%- endmacro %}

{% macro default__days_between(start_date, end_date) -%}
    cast(({{ end_date }}) - ({{ start_date }}) as integer)
{%- endmacro %}

{% macro spark__days_between(start_date, end_date) -%}
    datediff({{ end_date }}, {{ start_date }})
{%- endmacro %}

{#- The date a whole number of days (an integer expression) before another. -#}
{% macro days_before(date, days) -%}
    {{ return(adapter.dispatch('days_before', 'customer_segments')(date, days)) }}
{%- endmacro %}

{% macro default__days_before(date, days) -%}
    cast(({{ date }}) - ({{ days }}) as date)
{%- endmacro %}

{% macro spark__days_before(date, days) -%}
    date_sub({{ date }}, {{ days }})
{%- endmacro %}

{#- The first day of the month that lies a whole number of months (an integer expression) before the month of a date. -#}
{% macro month_start_before(date, months) -%}
    cast({{ dbt.dateadd('month', '-' ~ months, dbt.date_trunc('month', date)) }} as date)
{%- endmacro %}
