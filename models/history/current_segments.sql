-- One column per segmentation, joined once: history, profiles and KPIs read it.
-- It is also what the next run finds when it asks where everybody was: written_in_run tells whether the log was written after it.
{{ config(materialized='table') }}

with customers as (

    select * from {{ ref('int_customers') }}

),

previous_segments as (

    select * from {{ ref('previous_segments') }}

),

final as (

    select
        customers.customer_id,
        {%- for segmentation in segmentations() %}
        {{ segmentation }}.segment as {{ segmentation }}_segment,
        {%- endfor %}
        {%- for segmentation in segmentations() %}
        case
            when {{ segmentation }}.segment = previous_segments.{{ segmentation }}_segment then previous_segments.{{ segmentation }}_since
            when {{ segmentation }}.segment is not null then {{ as_of_date() }}
        end as {{ segmentation }}_since,
        {%- endfor %}
        customers.as_of_date,
        {{ written_in_run() }}
    from customers
    {%- for segmentation in segmentations() %}
    inner join {{ ref(segmentation ~ '_segments') }} as {{ segmentation }} on customers.customer_id = {{ segmentation }}.customer_id
    {%- endfor %}
    left join previous_segments on customers.customer_id = previous_segments.customer_id

)

select * from final
