-- Which households received which campaign. How and when it reached them is not in the data: the channel stays empty, and a contact
-- counts from the campaign's first day, at midnight where the business is.
with campaigns as (
    select * from '{{ source }}/campaigns.parquet'
),

campaign_descriptions as (
    select * from '{{ source }}/campaign_descriptions.parquet'
),

final as (
    select
        campaigns.campaign_id || '-' || campaigns.household_id as contact_id,
        campaigns.campaign_id,
        campaigns.household_id as customer_id,
        cast(campaign_descriptions.start_date as date) as sent_at
    from campaigns
    inner join campaign_descriptions on campaigns.campaign_id = campaign_descriptions.campaign_id
)

select * from final
order by contact_id
