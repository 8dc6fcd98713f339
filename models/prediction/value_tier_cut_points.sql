{%- set tiers = {'medium': 1, 'high': 2, 'top': 3} -%}

with lifetime_values as (

    select customer_lifetime_value
    from {{ ref('customer_lifetime_values') }}
    where customer_lifetime_value > 0

),

-- Customers of equal value stand together, so that they are never cut apart.
summed as (

    select
        customer_lifetime_value,
        sum(sum(customer_lifetime_value)) over (order by customer_lifetime_value desc) - sum(customer_lifetime_value) as sum_above,
        sum(sum(customer_lifetime_value)) over () as sum_of_all
    from lifetime_values
    group by customer_lifetime_value

),

limits as (

    select
        {{ threshold('value_tier_medium_share') }} as medium_share,
        {{ threshold('value_tier_high_share') }} as high_share,
        {{ threshold('value_tier_top_share') }} as top_share

),

-- Whoever begins within a tier's share belongs to it: its cut is the largest value that does not. Without any predicted value there is
-- nothing to cut, and no row.
final as (
    {% for tier, cut in tiers.items() %}
    select
        'customer_lifetime_value' as measure,
        {{ cut }} as cut,
        cast(coalesce(
            max(case when summed.sum_above >= limits.{{ tier }}_share * summed.sum_of_all then summed.customer_lifetime_value end), 0
        ) as decimal(18, 4)) as value -- noqa: RF04
    from summed
    cross join limits
    having count(*) > 0
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
)

select * from final
