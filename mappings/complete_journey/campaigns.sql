with campaign_descriptions as (
    select * from '{{ source }}/campaign_descriptions.parquet'
),

final as (
    select
        campaign_id,
        campaign_type,
        start_date as starts_on,
        end_date as ends_on
    from campaign_descriptions
)

select * from final
