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
    ]) }}
{%- endmacro %}
