with features as (

    select * from {{ ref('customer_geographic_features') }}

),

-- The climate where it is known, else the region, else the market alone.
final as (

    select
        customer_id,
        as_of_date,
        case
            when market is null then 'unknown'
            when coalesce(climate, market_region) is null then market
            else market || '_' || coalesce(climate, market_region)
        end as segment,
        market,
        climate,
        market_region,
        location_evidence
    from features

)

select * from final
