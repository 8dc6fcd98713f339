{%- set cut_point_models = {
    'rfm': 'rfm_cut_points',
    'loyalty_status': 'loyalty_status_cut_points',
    'value_trend': 'value_trend_cut_points',
    'value_tier': 'value_tier_cut_points',
} -%}

with final as (

    {%- for segmentation, model in cut_point_models.items() %}
    select
        {{ as_of_date() }} as as_of_date,
        '{{ segmentation }}' as segmentation,
        measure,
        cut,
        value
    from {{ ref(model) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}

)

select * from final
