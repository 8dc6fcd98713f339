with

base as (
    select * from {{ ref('base_campaigns') }}
),

final as (
    select
        campaign_id,
        campaign_name,
        campaign_type,
        channel,
        starts_on,
        ends_on,
        cost_amount,
        target_audience
    from base
    where row_status = 'used'
)

select * from final
