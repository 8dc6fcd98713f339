with stores as (

    select
        {{ normalised('country') }} as country,
        {{ normalised('region') }} as region,
        {{ normalised('city') }} as city,
        {{ code_of('coalesce(market, country)') }} as market,
        {{ code_of('climate') }} as climate
    from {{ ref('stg_stores') }}

),

cities as (

    select
        'city' as place_level,
        country,
        city as place,
        min(market) as first_market,
        max(market) as last_market,
        min(climate) as first_climate,
        max(climate) as last_climate
    from stores
    where country is not null and city is not null
    group by country, city

),

regions as (

    select
        'region' as place_level,
        country,
        region as place,
        min(market) as first_market,
        max(market) as last_market,
        min(climate) as first_climate,
        max(climate) as last_climate
    from stores
    where country is not null and region is not null
    group by country, region

),

countries as (

    select
        'country' as place_level,
        country,
        country as place,
        min(market) as first_market,
        max(market) as last_market,
        min(climate) as first_climate,
        max(climate) as last_climate
    from stores
    where country is not null
    group by country

),

places as (

    select * from cities
    union all
    select * from regions
    union all
    select * from countries

),

-- Where the stores of a place disagree, the place says nothing: who lives there could be in either.
final as (

    select
        place_level,
        country,
        place,
        case when first_market = last_market then first_market end as market,
        case when first_climate = last_climate then first_climate end as climate
    from places

)

select * from final
