{#-
    How much the baskets of one window differ from each other: their squared deviations from the mean basket, over the square of that mean.
    From the visits, the net sales and the sum of the squared net sales of the window; zero where nothing was spent.
-#}
{% macro basket_deviation(visits, amount, squares) -%}
    greatest(coalesce({{ visits }} * ({{ visits }} * {{ ratio(squares, squared(amount)) }} - 1), 0), 0)
{%- endmacro %}
