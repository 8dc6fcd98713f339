{#- The calendar day of a UTC timestamp in the business timezone. Used in staging only: everything after it reads dates. -#}
{% macro business_date(timestamp_column) -%}
    {{ return(adapter.dispatch('business_date', 'customer_segments')(timestamp_column)) }}
{%- endmacro %}

{#- The way through a timezone takes DuckDB as long as all else that a date needs, so UTC does without. -#}
{% macro default__business_date(timestamp_column) -%}
    {%- if var("business_timezone") == 'UTC' -%}
        cast({{ timestamp_column }} as date)
    {%- else -%}
        cast(timezone('{{ var("business_timezone") }}', timezone('UTC', {{ timestamp_column }})) as date)
    {%- endif -%}
{%- endmacro %}

{% macro spark__business_date(timestamp_column) -%}
    cast(from_utc_timestamp({{ timestamp_column }}, '{{ var("business_timezone") }}') as date)
{%- endmacro %}
