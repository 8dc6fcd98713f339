with customers as (

    select * from {{ ref('int_customers') }}

),

attributes as (

    select * from {{ ref('stg_customers') }}

),

customer_stores as (

    select * from {{ ref('int_customer_stores') }}

),

stores as (

    select * from {{ ref('stg_stores') }}

),

places as (

    select * from {{ ref('int_places') }}

),

limits as (

    select {{ threshold('geographic_home_store_minimum_orders') }} as minimum_orders

),

store_places as (

    select
        store_id,
        {{ code_of('coalesce(market, country)') }} as market,
        {{ code_of('climate') }} as climate,
        {{ code_of('region') }} as region
    from stores

),

-- Most orders; of equals the one visited last, then the first by id.
ranked_stores as (

    select
        customer_stores.customer_id,
        customer_stores.store_id,
        customer_stores.order_count,
        sum(customer_stores.order_count) over (partition by customer_stores.customer_id) as store_orders,
        row_number() over (
            partition by customer_stores.customer_id
            order by customer_stores.order_count desc, customer_stores.last_order_date desc, customer_stores.store_id asc
        ) as store_rank
    from customer_stores

),

-- One visit is not a home: it may have been a journey.
inferred_stores as (

    select
        ranked_stores.customer_id,
        ranked_stores.store_id,
        ranked_stores.order_count,
        ranked_stores.store_orders
    from ranked_stores
    cross join limits
    where
        ranked_stores.store_rank = 1
        and ranked_stores.order_count >= limits.minimum_orders

),

addresses as (

    select
        customers.customer_id,
        customers.as_of_date,
        {{ normalised('attributes.country') }} as home_country,
        {{ normalised('attributes.region') }} as home_region,
        {{ normalised('attributes.city') }} as home_city,
        {{ normalised('attributes.work_country') }} as work_country,
        {{ normalised('attributes.work_city') }} as work_city,
        attributes.home_store_id as stated_store_id
    from customers
    left join attributes on customers.customer_id = attributes.customer_id

),

located as (

    select
        addresses.*,
        inferred_stores.store_id as inferred_store_id,
        inferred_stores.order_count as inferred_store_orders,
        inferred_stores.store_orders,

        home_cities.market as home_city_market,
        home_cities.climate as home_city_climate,
        home_regions.market as home_region_market,
        home_regions.climate as home_region_climate,
        inferred_places.market as inferred_store_market,
        inferred_places.climate as inferred_store_climate,
        inferred_places.region as inferred_store_region,
        stated_places.market as stated_store_market,
        stated_places.climate as stated_store_climate,
        stated_places.region as stated_store_region,
        work_cities.market as work_city_market,
        work_cities.climate as work_city_climate,
        home_countries.market as home_country_market,
        home_countries.climate as home_country_climate,
        work_countries.market as work_country_market,
        work_countries.climate as work_country_climate
    from addresses
    left join inferred_stores on addresses.customer_id = inferred_stores.customer_id
    left join store_places as inferred_places on inferred_stores.store_id = inferred_places.store_id
    left join store_places as stated_places on addresses.stated_store_id = stated_places.store_id
    left join places as home_cities
        on
            home_cities.place_level = 'city'
            and addresses.home_country = home_cities.country
            and addresses.home_city = home_cities.place
    left join places as home_regions
        on
            home_regions.place_level = 'region'
            and addresses.home_country = home_regions.country
            and addresses.home_region = home_regions.place
    left join places as home_countries
        on home_countries.place_level = 'country' and addresses.home_country = home_countries.place
    left join places as work_cities
        on
            work_cities.place_level = 'city'
            and addresses.work_country = work_cities.country
            and addresses.work_city = work_cities.place
    left join places as work_countries
        on work_countries.place_level = 'country' and addresses.work_country = work_countries.place

),

-- The most precise evidence about home first, then where they buy, then where they work, then a whole country.
evidenced as (

    select
        *,
        case
            when home_city_market is not null then 'home_city'
            when home_region_market is not null then 'home_region'
            when inferred_store_market is not null then 'store_bought_at'
            when stated_store_market is not null then 'stated_store'
            when work_city_market is not null then 'work_city'
            when home_country is not null then 'home_country'
            when work_country is not null then 'work_country'
            else 'none'
        end as location_evidence
    from located

),

final as (

    select
        customer_id,
        as_of_date,

        home_country,
        home_region,
        home_city,
        work_country,
        work_city,

        coalesce(inferred_store_id, stated_store_id) as home_store_id,
        case
            when inferred_store_id is not null then 'orders'
            when stated_store_id is not null then 'stated'
            else 'none'
        end as home_store_source,
        coalesce(inferred_store_orders, 0) as home_store_orders,
        {{ ratio('inferred_store_orders', 'store_orders') }} as home_store_share,

        location_evidence,
        case location_evidence
            when 'home_city' then home_city_market
            when 'home_region' then home_region_market
            when 'store_bought_at' then inferred_store_market
            when 'stated_store' then stated_store_market
            when 'work_city' then work_city_market
            -- A country without stores, or with stores of several markets, is a market of its own.
            when 'home_country' then coalesce(home_country_market, {{ code_of('home_country') }})
            when 'work_country' then coalesce(work_country_market, {{ code_of('work_country') }})
        end as market,
        case location_evidence
            when 'home_city' then home_city_climate
            when 'home_region' then home_region_climate
            when 'store_bought_at' then inferred_store_climate
            when 'stated_store' then stated_store_climate
            when 'work_city' then work_city_climate
            when 'home_country' then home_country_climate
            when 'work_country' then work_country_climate
        end as climate,
        case
            when location_evidence in ('home_city', 'home_region', 'home_country') then {{ code_of('home_region') }}
            when location_evidence = 'store_bought_at' then inferred_store_region
            when location_evidence = 'stated_store' then stated_store_region
        end as market_region
    from evidenced

)

select * from final
