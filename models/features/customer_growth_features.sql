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
        coalesce(affinities.affinity_category, 'none') as peer_category,
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

{%- for level, keys in {'category': ['tenure_band', 'peer_category'], 'tenure': ['tenure_band'], 'all': []}.items() %}

peers_by_{{ level }} as (

    select
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
        count(*) as peers,
        {{ percentile_cut('orders_365d', 0.5) }} as middle_orders,
        {{ percentile_cut('orders_365d', 0.75) }} as upper_orders,
        {{ percentile_cut('mean_order_amount_365d', 0.5) }} as middle_order_amount,
        {{ percentile_cut('mean_order_amount_365d', 0.75) }} as upper_order_amount,
        {{ percentile_cut('bought_categories', 0.5) }} as middle_categories,
        {{ percentile_cut('bought_categories', 0.75) }} as upper_categories,
        {{ percentile_cut('amount_365d', 0.75) }} as upper_amount
    from growers
    {%- if keys %}
    group by {{ keys | join(', ') }}
    {%- endif %}

),
{%- endfor %}

-- The nearest group of peers that is large enough to say what is usual among them.
placed as (

    select
        growers.*,
        case
            when peers_by_category.peers >= limits.minimum_peers then 'tenure_and_category'
            when peers_by_tenure.peers >= limits.minimum_peers then 'tenure'
            when peers_by_all.peers >= limits.minimum_peers then 'everybody'
        end as peer_group,
        {%- for figure in ['peers', 'middle_orders', 'upper_orders', 'middle_order_amount', 'upper_order_amount', 'middle_categories', 'upper_categories', 'upper_amount'] %}
        case
            when peers_by_category.peers >= limits.minimum_peers then peers_by_category.{{ figure }}
            when peers_by_tenure.peers >= limits.minimum_peers then peers_by_tenure.{{ figure }}
            when peers_by_all.peers >= limits.minimum_peers then peers_by_all.{{ figure }}
        end as {{ figure }}{{ '' if loop.last else ',' }}
        {%- endfor %}
    from growers
    cross join limits
    cross join peers_by_all
    inner join peers_by_tenure on growers.tenure_band = peers_by_tenure.tenure_band
    inner join peers_by_category
        on growers.tenure_band = peers_by_category.tenure_band and growers.peer_category = peers_by_category.peer_category

),

-- How much is missing to the upper quarter of the peers; nothing for whoever is in it. Null where the peers have nothing themselves.
gaps as (

    select
        *,
        greatest(1 - {{ ratio('orders_365d', 'upper_orders') }}, 0) as order_gap,
        case when upper_order_amount > 0 then greatest(1 - {{ ratio('mean_order_amount_365d', 'upper_order_amount') }}, 0) end as order_amount_gap,
        case when upper_categories > 0 then greatest(1 - {{ ratio('bought_categories', 'upper_categories') }}, 0) end as category_gap
    from placed
    where peer_group is not null

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
        cast(case when gaps.upper_amount is not null then greatest(gaps.upper_amount - measured.amount_365d, 0) end as decimal(18, 2)) as amount_gap,
        gaps.orders_365d >= gaps.middle_orders
        or gaps.mean_order_amount_365d >= gaps.middle_order_amount
        or (gaps.bought_categories >= gaps.middle_categories and gaps.middle_categories > 0) as is_level_with_peers
    from measured
    left join gaps on measured.customer_id = gaps.customer_id

)

select * from final
