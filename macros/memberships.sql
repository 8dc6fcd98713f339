{#-
    The current memberships, one row per customer and segmentation, out of the wide table current_segments. A body for a CTE.
    A segmentation without a segment for a customer has no row.
-#}
{% macro memberships() -%}
    {%- for segmentation in segmentations() %}
    select
        customer_id,
        '{{ segmentation }}' as segmentation,
        {{ segmentation }}_segment as segment
    from {{ ref('current_segments') }}
    where {{ segmentation }}_segment is not null
    {{- ' union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
