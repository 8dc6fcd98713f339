{#- A ratio in whole ten-thousandths, rounded half up: sums of these are exact in any order of the rows, sums of floats are not. -#}
{% macro ten_thousandths(value) -%}
    cast(floor(({{ value }}) * 10000 + 0.5) as bigint)
{%- endmacro %}

{#- The same as a double with four places: what exp() or sqrt() give differs in the last bit from engine to engine, what rules compare must not. -#}
{% macro rounded(value) -%}
    (cast({{ ten_thousandths(value) }} as double) / 10000)
{%- endmacro %}
