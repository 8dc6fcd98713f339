{#-
    Why a landed row cannot be used, as a text for people; null when it can. The first reason found is given:
    an unreadable value, a missing required value, an impossible value, an unknown customer.

    required: names of the columns without which the row says nothing.
    impossible: {sentence: condition}, in order; the sentence follows "impossible value: " and holds no value of the row, so that reasons can be counted.
    customer: true when the row speaks of a customer who must exist; the CTE has joined `known_customer_id` (null when nobody by that id is known).
-#}
{% macro quarantine_reason(required, impossible={}, customer=false) -%}
    case
            when unreadable_columns is not null then 'unreadable value in ' || unreadable_columns
            {%- for column in required %}
            when {{ column }} is null then 'missing {{ column }}'
            {%- endfor %}
            {%- for sentence, condition in impossible.items() %}
            when {{ condition }} then 'impossible value: {{ sentence }}'
            {%- endfor %}
            {%- if customer %}
            when known_customer_id is null then 'unknown customer'
            {%- endif %}
        end
{%- endmacro %}

{#-
    True when a time cannot be one: the first instant of 1970 is what software writes for "no date", and a date over a year after
    its own loading is a slip of the pen (2071, 9999). Nearer future is allowed: pre-orders and planned sends are real, and count when their day comes.
-#}
{% macro out_of_time(column) -%}
    {{ column }} <= timestamp '1970-01-01 00:00:00' or {{ column }} > loaded_at + interval '366' day
{%- endmacro %}

{#-
    The impossible values of a customer, {column: {sentence, condition}}: read by base_customers (the row goes to quarantine) and by
    stg_customers (a customer known by no other row stays, without that value).
    120 years: nobody on record who buys is older, and the placeholder 1900-01-01 falls outside.
-#}
{% macro impossible_customer_values() -%}
    {{ return({
        'signed_up_at': {
            'sentence': 'signed_up_at is 1970-01-01 or before, or over a year after loading',
            'condition': out_of_time('signed_up_at'),
        },
        'birth_date': {
            'sentence': 'birth_date is in the future or over 120 years ago',
            'condition': "birth_date > cast(loaded_at as date) or birth_date < cast(loaded_at - interval '120' year as date)",
        },
        'annual_income': {
            'sentence': 'annual_income is below zero',
            'condition': 'annual_income < 0',
        },
    }) }}
{%- endmacro %}
