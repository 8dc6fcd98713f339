{#- A text as it came, without the blanks around it; an empty one is null. Letters keep their case: ids and names are not ours to change. -#}
{% macro clean_text(column) -%}
    nullif(trim(cast({{ column }} as string)), '')
{%- endmacro %}

{#- A code that rules compare (a channel, a status, a tier): lower case, without the blanks around it; an empty one is null. -#}
{% macro clean_code(column) -%}
    nullif(lower(trim(cast({{ column }} as string))), '')
{%- endmacro %}
