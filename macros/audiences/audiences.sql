{#-
    Every audience, once: the one list that memberships are built from. `<name>` has a file models/audiences/<name>.sql.
    Needed beside the files because dbt has to know what a model refers to before it has read the others; `segments check` compares.
-#}
{% macro audiences() -%}
    {{ return([
        'ambassadors',
        'birthdays_next_7_days',
        'cart_abandoners',
        'full_price_loyal_customers',
        'gold_members_who_bought_coffee',
        'high_value_at_risk',
        'lapsed_worth_reengaging',
        'one_time_buyers_before_a_holiday',
        'support_contacts_gone_silent',
        'top_customers_of_each_store',
        'top_payers_exclusive_offer',
        'win_back_falling_high_spenders',
    ]) }}
{%- endmacro %}
