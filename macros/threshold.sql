{#-
    One number of seeds/thresholds.csv, as a scalar sub-query.
    A source may override it by a variable of the same name in its source.yml (`vars:`).
    Usage: `where recency_days >= {{ threshold('loyalty_lost_minimum_days') }}`; name every threshold once per model.
-#}
{% macro threshold(name) -%}
    {%- set override = var(name, none) -%}
    {%- if override is not none -%}
        {{ override }}
    {%- else -%}
        (select value from {{ ref('thresholds') }} where name = '{{ name }}')
    {%- endif -%}
{%- endmacro %}
