-- One column per segmentation, joined once: audiences, history, profiles and KPIs read it.

with customers as (

    select * from {{ ref('int_customers') }}

),

final as (

    select
        customers.customer_id,
        {%- for segmentation in segmentations() %}
        {{ segmentation }}.segment as {{ segmentation }}_segment,
        {%- endfor %}
        customers.as_of_date
    from customers
    {%- for segmentation in segmentations() %}
inner join {{ ref(segmentation ~ '_segments') }} as {{ segmentation }} on customers.customer_id = {{ segmentation }}.customer_id
    {%- endfor %}

)

select * from final
