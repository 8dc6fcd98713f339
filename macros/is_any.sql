{#- Whether a relation has any row (of a kind), as a scalar sub-query that stops at the first one. Not EXISTS: Spark allows that in filters only. -#}
{% macro is_any(relation, condition='true') -%}
    (select count(*) > 0 from (select 1 as found from {{ relation }} where {{ condition }} limit 1) as first_found)
{%- endmacro %}
