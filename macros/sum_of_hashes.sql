{#-
    A fingerprint of the values in a group, whatever their order: the sum of their hashes. Two groups with as many values and the same sum hold
    the same values, for all that tests need: a test that joins millions of rows both ways would cost a night more than what it watches.
    A whole number that fits the widest type of the engine; null of no values.

    column: a text column without nulls.
-#}
{% macro sum_of_hashes(column) -%}
    {{ return(adapter.dispatch('sum_of_hashes', 'customer_segments')(column)) }}
{%- endmacro %}

{% macro default__sum_of_hashes(column) -%}
    cast(sum(hash({{ column }})) as hugeint)
{%- endmacro %}

{% macro spark__sum_of_hashes(column) -%}
    sum(cast(xxhash64({{ column }}) as decimal(38, 0)))
{%- endmacro %}
