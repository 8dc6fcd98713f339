{#-
    The country whose holidays somebody keeps, from the country of the address. Whose country is not known keeps the holidays of the source; whose
    country is known but has no windows keeps none of another.
-#}
{% macro holiday_country(country) -%}
    {%- if var('holiday_country', none) -%}
        coalesce(upper(trim({{ country }})), {{ dbt.string_literal(dbt.escape_single_quotes(var('holiday_country') | upper)) }})
    {%- else -%}
        upper(trim({{ country }}))
    {%- endif -%}
{%- endmacro %}
