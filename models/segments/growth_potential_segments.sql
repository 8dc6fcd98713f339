with growth as (

    select * from {{ ref('customer_growth_features') }}

),

limits as (

    select
        {{ threshold('growth_potential_high_gap') }} as high_gap,
        {{ threshold('growth_potential_medium_gap') }} as medium_gap

),

final as (

    select
        growth.customer_id,
        growth.as_of_date,
        case
            when not growth.can_grow or growth.growth_gap is null then 'none'
            -- Far behind in all three is a light customer. Far behind and level in one is a customer who is known to be able to.
            when growth.growth_gap >= limits.high_gap and growth.is_level_with_peers then 'high'
            when growth.growth_gap >= limits.medium_gap then 'medium'
            else 'low'
        end as segment,
        growth.peer_group,
        growth.growth_gap,
        growth.order_gap,
        growth.order_amount_gap,
        growth.category_gap,
        growth.is_level_with_peers,
        growth.amount_gap
    from growth
    cross join limits

)

select * from final
