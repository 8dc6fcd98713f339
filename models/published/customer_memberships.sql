with current_memberships as (

    select * from {{ ref('current_memberships') }}

),

final as (

    select
        customer_id,
        as_of_date,
        {%- for segmentation in segmentations() %}
        {{ segmentation }}_segment,
        {{ segmentation }}_since{{ ',' if not loop.last }}
        {%- endfor %}
    from current_memberships

)

select * from final
