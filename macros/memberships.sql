{#-
    The current memberships, one row per customer and segmentation, out of the wide table current_segments. A body for a CTE.
    A segmentation without a segment for a customer has no row.
-#}
{% macro memberships() -%}
    {%- for segmentation in segmentations() %}
    select
        customer_id,
        '{{ segmentation }}' as segmentation,
        {{ segmentation }}_segment as segment,
        {{ segmentation }}_since as since
    from {{ ref('current_segments') }}
    where {{ segmentation }}_segment is not null
    {{- ' union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The columns of the wide table current_segments, in the order of the list, under the name that table has in the query. -#}
{% macro segment_columns(relation_name) -%}
    {%- for segmentation in segmentations() -%}
        {{ relation_name }}.{{ segmentation }}_segment{{ ',\n        ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
