{#-
    Every segmentation, once: the one list that history, profiles and memberships are built from.
    `<name>` has a model `<name>_segments`, rows in seeds/segment_definitions.csv, and a column `<name>_segment` in customer_profiles.
-#}
{% macro segmentations() -%}
    {{ return([
        'rfm',
        'loyalty_status',
        'value_trend',
        'promotion_affinity',
        'purchase_rhythm',
        'growth_potential',
        'value_tier',
        'churn_risk',
        'price_sensitivity',
        'quality_preference',
        'payment_preference',
        'channel_preference',
        'category_affinity',
        'holiday_buying',
        'behaviour_cluster',
        'journey_stage',
        'campaign_response',
        'contact_preference',
        'enrolment',
        'programme_engagement',
        'advocacy',
        'demographic',
        'socio_economic',
        'geographic',
        'psychographic',
        'socio_cultural',
        'needs',
    ]) }}
{%- endmacro %}

{#- Their names as a list of texts in SQL. -#}
{% macro segmentation_names() -%}
    {{ return("'" ~ segmentations() | join("', '") ~ "'") }}
{%- endmacro %}
