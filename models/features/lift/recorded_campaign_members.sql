{{ config(materialized='view') }}

with final as (

    {{ recorded_campaign_members() }}

)

select * from final
