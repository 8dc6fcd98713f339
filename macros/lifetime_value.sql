{#-
    The formulas of lifetime value for one customer, from the row of parameters in force (aliased `parameters`): r, alpha, a, b of BG/NBD; p, q, gamma of
    gamma-gamma. Times are in days and are divided into the unit of the parameters here.
-#}

{#-
    The probability that a customer is still one (Fader, Hardie and Lee 2005; Fader, Hardie and Lee 2008 for this form of it): 1 of a customer who never came back, who has had
    no occasion to leave. Odds beyond e to the power of 600 are as good as infinite, and no engine has to raise e to more.
-#}
{% macro probability_alive(frequency, recency_days, age_days) -%}
    case
        when parameters.r is null or {{ frequency }} is null then null
        when {{ frequency }} = 0 then cast(1 as double)
        else
            1 / (
                1 + parameters.a / (parameters.b + {{ frequency }} - 1) * exp(
                    least(
                        (parameters.r + {{ frequency }}) * (
                            ln(parameters.alpha + cast({{ age_days }} as double) / {{ days_of_time_unit() }})
                            - ln(parameters.alpha + cast({{ recency_days }} as double) / {{ days_of_time_unit() }})
                        ),
                        600
                    )
                )
            )
    end
{%- endmacro %}

{#-
    What to expect of a customer's purchase: between what the customer's own repeat purchases brought and what everybody's do, the nearer to their own the more they have
    shown (Fader and Hardie 2013). Without a fit in force everybody's mean (`parameters.mean_amount`), null where there is none.
-#}
{% macro expected_order_value(frequency, monetary_value) -%}
    case
        when {{ frequency }} is null then null
        when parameters.p is null then parameters.mean_amount
        else
            parameters.p * (parameters.gamma + {{ frequency }} * greatest(coalesce(cast({{ monetary_value }} as double), 0), 0))
            / (parameters.p * {{ frequency }} + parameters.q - 1)
    end
{%- endmacro %}

{#- A predicted amount as money. Beyond what cut points can be written in, decimal(18,4), it is the largest that can: amounts like these are no money. -#}
{% macro predicted_money(amount) -%}
    cast(case when {{ amount }} < 99999999999999 then {{ amount }} when {{ amount }} is not null then 99999999999999 end as decimal(18, 2))
{%- endmacro %}
