-- One column per segmentation, joined once: profiles and KPIs both read it.
{{ config(materialized='table') }}

with customers as (

    select * from {{ ref('int_customers') }}

){% for segmentation in segmentations() %},

{{ segmentation }} as (

    select
        customer_id,
        segment
    from {{ ref(segmentation ~ '_segments') }}

){% endfor %},

final as (

    select
        customers.customer_id,
        customers.as_of_date,
        {%- for segmentation in segmentations() %}
        {{ segmentation }}.segment as {{ segmentation }}_segment{{ ',' if not loop.last }}
        {%- endfor %}
    from customers
    {%- for segmentation in segmentations() %}
    inner join {{ segmentation }} on customers.customer_id = {{ segmentation }}.customer_id
    {%- endfor %}

)

select * from final
