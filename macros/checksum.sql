{#- A number of all values of a column, in any order: equal values give an equal one, others another, but for one chance in some 10^19. -#}
{% macro checksum(column) -%}
    {{ return(adapter.dispatch('checksum', 'customer_segments')(column)) }}
{%- endmacro %}

{% macro default__checksum(column) -%}
    sum(hash({{ column }}))
{%- endmacro %}

{% macro spark__checksum(column) -%}
    sum(cast(xxhash64({{ column }}) as decimal(38, 0)))
{%- endmacro %}
