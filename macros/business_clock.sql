{#- The hour of the day, 0 to 23, that the clock showed in the business timezone at a UTC timestamp. -#}
{% macro business_hour(timestamp_column) -%}
    {{ return(adapter.dispatch('business_hour', 'customer_segments')(timestamp_column)) }}
{%- endmacro %}

{% macro default__business_hour(timestamp_column) -%}
    cast(extract(hour from timezone('{{ var("business_timezone") }}', timezone('UTC', {{ timestamp_column }}))) as integer)
{%- endmacro %}

{% macro spark__business_hour(timestamp_column) -%}
    hour(from_utc_timestamp({{ timestamp_column }}, '{{ var("business_timezone") }}'))
{%- endmacro %}

{#- The day of the week of a date, Monday 1 to Sunday 7 (ISO 8601). Counted from a Monday, because engines number weekdays differently. -#}
{% macro iso_weekday(date) -%}
    (({{ days_between("cast('1970-01-05' as date)", date) }}) % 7 + 1)
{%- endmacro %}

{#- Whole months from one date to a later one: a month is full when its day of the month has come again. -#}
{% macro months_between_dates(start_date, end_date) -%}
    cast(
        12 * (extract(year from {{ end_date }}) - extract(year from {{ start_date }}))
        + (extract(month from {{ end_date }}) - extract(month from {{ start_date }}))
        - case when extract(day from {{ end_date }}) < extract(day from {{ start_date }}) then 1 else 0 end
        as integer
    )
{%- endmacro %}
