with current_segments as (

    select * from {{ ref('current_segments') }}

),

final as (

    select
        customer_id,
        as_of_date
        {%- for segmentation in segmentations() %},
        {{ segmentation }}_segment
        {%- endfor %}
        {%- for segmentation in segmentations() %},
        {{ segmentation }}_since
        {%- endfor %}
    from current_segments

)

select * from final
