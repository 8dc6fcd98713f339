{#-
    A share or an index: the quotient of two numbers as a double, null where the divisor is zero.
    The one place where money becomes a float; both sides are cast first, because engines disagree on the type of decimal / decimal.
-#}
{% macro ratio(dividend, divisor) -%}
    (cast({{ dividend }} as double) / nullif(cast({{ divisor }} as double), 0))
{%- endmacro %}

{#-
    The square of an amount in money, exact, as decimal(38,4). Cast first: DuckDB keeps the product of two decimal(18,2) in eighteen places, and
    ten million of a currency squared has more.
-#}
{% macro squared(amount) -%}
    (cast({{ amount }} as decimal(19, 2)) * cast({{ amount }} as decimal(19, 2)))
{%- endmacro %}

{#-
    A total divided by a count, rounded half up to two places, as decimal(18,2); null where the count is zero.
    Done on whole hundredths: engines disagree on round() of a float, and equal customers must get equal figures.
-#}
{% macro mean_to_cents(total, quantity) -%}
    cast(
        cast(floor((cast(200 * cast({{ total }} as decimal(24, 2)) as bigint) + ({{ quantity }})) / nullif(2 * ({{ quantity }}), 0)) as bigint) * 0.01
        as decimal(18, 2)
    )
{%- endmacro %}

{#-
    The smallest value that a given share of the rows does not exceed (exact, and always a value that occurs).
    Scores count the cut points strictly below a value, so equal values can never be scored apart, as NTILE does.
-#}
{% macro percentile_cut(value, share) -%}
    percentile_disc({{ share }}) within group (order by {{ value }})
{%- endmacro %}
