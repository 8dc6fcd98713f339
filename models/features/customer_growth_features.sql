with orders as (

    select * from {{ ref('customer_order_features') }}

),

rhythm as (

    select * from {{ ref('customer_rhythm_features') }}

),

affinities as (

    select * from {{ ref('customer_affinity_features') }}

),

tenure_bands as (

    select * from {{ ref('growth_potential_tenure_bands') }}

),

limits as (

    select
        {{ threshold('growth_potential_minimum_orders') }} as minimum_orders,
        {{ threshold('growth_potential_active_days') }} as active_days,
        {{ threshold('growth_potential_active_silence') }} as active_silence,
        {{ threshold('growth_potential_minimum_peers') }} as minimum_peers

),

measured as (

    select
        orders.customer_id,
        orders.as_of_date,
        orders.orders_365d,
        greatest(orders.net_amount_365d, 0) as amount_365d,
        {{ mean_to_cents('greatest(orders.net_amount_365d, 0)', 'orders.orders_365d') }} as mean_order_amount_365d,
        affinities.bought_categories,
        tenure_bands.tenure_band,
        coalesce(affinities.affinity_category, 'none') as affinity_category,
        -- Whoever has gone silent is to be won back, which is another question.
        orders.orders_365d >= limits.minimum_orders
        and (
            orders.recency_days < limits.active_days
            or orders.recency_days < limits.active_silence * rhythm.usual_gap_days
        ) as can_grow
    from orders
    cross join limits
    inner join rhythm on orders.customer_id = rhythm.customer_id
    inner join affinities on orders.customer_id = affinities.customer_id
    left join tenure_bands
        on orders.buyer_days >= tenure_bands.days_from and (orders.buyer_days < tenure_bands.days_to or tenure_bands.days_to is null)

),

growers as (

    select * from measured
    where can_grow

),

-- From near to far: peers of the same tenure whose spend stands out in the same category, of the same tenure, any.
levels as (

    select
        1 as level_number,
        'tenure_and_category' as peer_group
    union all
    select
        2 as level_number,
        'tenure' as peer_group
    union all
    select
        3 as level_number,
        'everybody' as peer_group

),

compared as (

    select
        growers.*,
        levels.level_number,
        case when levels.level_number <= 2 then growers.tenure_band else 'any' end as peer_band,
        case when levels.level_number = 1 then growers.affinity_category else 'any' end as peer_category
    from growers
    cross join levels

),

peers as (

    select
        level_number,
        peer_band,
        peer_category,
        count(*) as peers,
        {{ percentile_cut('orders_365d', 0.5) }} as middle_orders,
        {{ percentile_cut('orders_365d', 0.75) }} as upper_orders,
        {{ percentile_cut('mean_order_amount_365d', 0.5) }} as middle_order_amount,
        {{ percentile_cut('mean_order_amount_365d', 0.75) }} as upper_order_amount,
        {{ percentile_cut('bought_categories', 0.5) }} as middle_categories,
        {{ percentile_cut('bought_categories', 0.75) }} as upper_categories,
        {{ percentile_cut('amount_365d', 0.75) }} as upper_amount
    from compared
    group by level_number, peer_band, peer_category

),

large_enough as (

    select peers.*
    from peers
    cross join limits
    where peers.peers >= limits.minimum_peers

),

-- The nearest group of peers that is large enough to say what is usual among them.
nearest as (

    select
        growers.*,
        case
            when near.level_number is not null then near.level_number
            when same_tenure.level_number is not null then same_tenure.level_number
            else everybody.level_number
        end as level_number
    from growers
    left join large_enough as near
        on
            growers.tenure_band = near.peer_band
            and growers.affinity_category = near.peer_category
            and near.level_number = 1
    left join large_enough as same_tenure
        on
            growers.tenure_band = same_tenure.peer_band
            and same_tenure.level_number = 2
    left join large_enough as everybody
        on everybody.level_number = 3

),

placed as (

    select
        nearest.*,
        levels.peer_group,
        peers.peers,
        peers.middle_orders,
        peers.upper_orders,
        peers.middle_order_amount,
        peers.upper_order_amount,
        peers.middle_categories,
        peers.upper_categories,
        peers.upper_amount
    from nearest
    inner join levels on nearest.level_number = levels.level_number
    inner join peers
        on
            nearest.level_number = peers.level_number
            and case when nearest.level_number <= 2 then nearest.tenure_band else 'any' end = peers.peer_band
            and case when nearest.level_number = 1 then nearest.affinity_category else 'any' end = peers.peer_category

),

-- How much is missing to the upper quarter of the peers; nothing for whoever is in it. Null where the peers have nothing themselves.
gaps as (

    select
        *,
        greatest(1 - {{ ratio('orders_365d', 'upper_orders') }}, 0) as order_gap,
        case
            when upper_order_amount > 0 then greatest(1 - {{ ratio('mean_order_amount_365d', 'upper_order_amount') }}, 0)
        end as order_amount_gap,
        case when upper_categories > 0 then greatest(1 - {{ ratio('bought_categories', 'upper_categories') }}, 0) end as category_gap
    from placed

),

final as (

    select
        measured.customer_id,
        measured.as_of_date,

        measured.can_grow,
        measured.tenure_band,
        gaps.peer_group,
        gaps.peers,

        measured.orders_365d,
        measured.mean_order_amount_365d,
        measured.bought_categories,
        gaps.upper_orders as peer_orders_365d,
        gaps.upper_order_amount as peer_mean_order_amount_365d,
        gaps.upper_categories as peer_bought_categories,

        -- greatest() of doubles and whole numbers is a double.
        cast(gaps.order_gap as double) as order_gap,
        cast(gaps.order_amount_gap as double) as order_amount_gap,
        cast(gaps.category_gap as double) as category_gap,
        cast(
            (gaps.order_gap + coalesce(gaps.order_amount_gap, 0) + coalesce(gaps.category_gap, 0))
            / (1 + case when gaps.order_amount_gap is null then 0 else 1 end + case when gaps.category_gap is null then 0 else 1 end)
            as double
        ) as growth_gap,
        -- greatest() skips nulls: without peers nothing is missing and nothing is not.
        cast(
            case when gaps.upper_amount is not null then greatest(gaps.upper_amount - measured.amount_365d, 0) end as decimal(18, 2)
        ) as amount_gap,
        gaps.orders_365d >= gaps.middle_orders
        or gaps.mean_order_amount_365d >= gaps.middle_order_amount
        or (gaps.bought_categories >= gaps.middle_categories and gaps.middle_categories > 0) as is_level_with_peers
    from measured
    left join gaps on measured.customer_id = gaps.customer_id

)

select * from final
