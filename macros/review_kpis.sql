{#- The figures of segment_days that a review may ask for (seeds/review_kpis.csv): rates and means, of which more is better. -#}
{% macro review_kpis() -%}
    {{ return([
        'retention_rate',
        'repeat_purchase_rate',
        'orders_per_customer',
        'average_order_value',
        'margin_rate',
        'campaign_response_rate',
        'campaign_conversion_rate',
        'campaign_return',
        'satisfaction',
    ]) }}
{%- endmacro %}
