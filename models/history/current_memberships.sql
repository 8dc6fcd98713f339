-- Where everybody is, and since when. It is also what the next run finds when it asks where everybody was: written_in_run tells whether the
-- log was written with it.
{{ config(materialized='table') }}
-- next_memberships reads what the run before has left here, so it comes first.
-- depends_on: {{ ref('next_memberships') }}

with current_segments as (

    select * from {{ ref('current_segments') }}

),

previous_memberships as (

    select * from {{ ref('previous_memberships') }}

),

final as (

    select
        current_segments.customer_id,
        {%- for segmentation in segmentations() %}
        current_segments.{{ segmentation }}_segment,
        {%- endfor %}
        {%- for segmentation in segmentations() %}
        case
            when current_segments.{{ segmentation }}_segment = previous_memberships.{{ segmentation }}_segment
                then previous_memberships.{{ segmentation }}_since
            when current_segments.{{ segmentation }}_segment is not null then {{ as_of_date() }}
        end as {{ segmentation }}_since,
        {%- endfor %}
        {%- for segmentation in retired_segmentations() %}
        cast(null as {{ dbt.type_string() }}) as {{ segmentation }}_segment,
        cast(null as date) as {{ segmentation }}_since,
        {%- endfor %}
        current_segments.as_of_date,
        {{ written_in_run() }}
    from current_segments
    left join previous_memberships on current_segments.customer_id = previous_memberships.customer_id

)

select * from final
