{#- Codes by which sources say that they do not know. Evidence about nobody: read as if nothing had been said. -#}
{% macro words_for_nothing() -%}
    ('unknown', 'none', 'n_a', 'na', 'null', 'undefined', 'not_available', 'not_set')
{%- endmacro %}
