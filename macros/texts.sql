{#- A text as rule tables spell it: lower case, no blanks around it; empty is null. -#}
{% macro normalised(text) -%}
    nullif(lower(trim({{ text }})), '')
{%- endmacro %}

{#- A text as the code of a segment: lower_snake_case, letters of every alphabet kept. Null where nothing is left. -#}
{% macro code_of(text) -%}
    {{ return(adapter.dispatch('code_of', 'customer_segments')(text)) }}
{%- endmacro %}

{% macro default__code_of(text) -%}
    nullif(trim(regexp_replace(lower({{ text }}), '[^\p{L}\p{N}]+', '_', 'g'), '_'), '')
{%- endmacro %}

{#- Spark reads a backslash in a literal as an escape, and replaces all matches anyway. -#}
{% macro spark__code_of(text) -%}
    nullif(trim(both '_' from regexp_replace(lower({{ text }}), '[^\\p{L}\\p{N}]+', '_')), '')
{%- endmacro %}

{#- The texts of a group as one, in alphabetical order, so that equal groups give equal texts. Nulls are left out. -#}
{% macro joined_texts(text, separator=', ') -%}
    {{ return(adapter.dispatch('joined_texts', 'customer_segments')(text, separator)) }}
{%- endmacro %}

{% macro default__joined_texts(text, separator) -%}
    array_to_string(list_sort(list({{ text }}) filter (where {{ text }} is not null)), '{{ separator }}')
{%- endmacro %}

{% macro spark__joined_texts(text, separator) -%}
    nullif(array_join(array_sort(collect_list({{ text }})), '{{ separator }}'), '')
{%- endmacro %}
