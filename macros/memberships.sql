{#-
    The current memberships, one row per customer and segmentation, out of a wide table: current_memberships, or what is published of it.
    A body for a CTE. A segmentation without a segment for a customer has no row.
-#}
{% macro memberships(model) -%}
    {%- for segmentation in segmentations() %}
    select
        customer_id,
        as_of_date,
        '{{ segmentation }}' as segmentation,
        {{ segmentation }}_segment as segment,
        {{ segmentation }}_since as since
    from {{ ref(model) }}
    where {{ segmentation }}_segment is not null
    {{- ' union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- A wide table of memberships without a row, with the right types. A body for a CTE. -#}
{% macro no_memberships() -%}
    select
        {%- for segmentation in segmentations() %}
        cast(null as {{ dbt.type_string() }}) as {{ segmentation }}_segment,
        cast(null as date) as {{ segmentation }}_since,
        {%- endfor %}
        cast(null as {{ dbt.type_string() }}) as customer_id
    where 1 = 0
{%- endmacro %}

{#- The columns of the wide table current_segments, in the order of the list, under the name that table has in the query. -#}
{% macro segment_columns(relation_name) -%}
    {%- for segmentation in segmentations() -%}
        {{ relation_name }}.{{ segmentation }}_segment{{ ',\n        ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- The segment and the beginning of each membership, out of a wide table that has both, under the name that table has in the query. -#}
{% macro membership_columns(relation_name) -%}
    {%- for segmentation in segmentations() -%}
        {{ relation_name }}.{{ segmentation }}_segment,
        {{ relation_name }}.{{ segmentation }}_since{{ ',\n        ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- True where two wide tables differ in any segment of a customer; who is missing on one side is in no segment there. -#}
{% macro any_segment_differs(left, right) -%}
    (
        {%- for segmentation in segmentations() %}
        {{ left }}.{{ segmentation }}_segment is distinct from {{ right }}.{{ segmentation }}_segment
        {{- ' or' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
