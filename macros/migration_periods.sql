{#- The kinds of period that moves are told for. -#}
{% macro migration_periods() -%}
    {{ return(['day', 'week', 'month', 'quarter']) }}
{%- endmacro %}

{#- The first day of the period that a date lies in; weeks begin on Monday. -#}
{% macro period_start(period, date) -%}
    {%- if period == 'day' -%}
        {{ date }}
    {%- else -%}
        cast({{ dbt.date_trunc(period, date) }} as date)
    {%- endif -%}
{%- endmacro %}

{#-
    The first day of the earliest period told.

    periods: how many are told, the one that the day described lies in included; a number or a scalar sub-query.
-#}
{% macro migration_reach_start(period, periods) -%}
    {%- set before = '(cast(' ~ periods ~ ' as integer) - 1)' -%}
    {%- set start = period_start(period, as_of_date()) -%}
    {%- if period in ('day', 'week') -%}
        {{ days_before(start, (7 if period == 'week' else 1) ~ ' * ' ~ before) }}
    {%- else -%}
        cast({{ dbt.dateadd('month', '-' ~ (3 if period == 'quarter' else 1) ~ ' * ' ~ before, start) }} as date)
    {%- endif -%}
{%- endmacro %}
