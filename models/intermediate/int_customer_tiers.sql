-- Tiers have no history of their own in the contract: the earlier versions of a customer's row are their only trace.
with versions as (

    select * from {{ ref('base_customers') }}
    where
        quarantine_reason is null
        and loyalty_tier is not null

),

current_rows as (

    select
        customer_id,
        loyalty_tier
    from {{ ref('stg_customers') }}
    where loyalty_tier is not null

),

limits as (

    select cast({{ threshold('programme_engagement_month_days') }} as integer) as month_days

),

dated as (

    select
        customer_id,
        loyalty_tier,
        loaded_at,
        source_row,
        updated_at,
        {{ business_date('updated_at') }} as updated_date
    from versions
    where updated_at is not null

),

known as (

    select
        dated.customer_id,
        dated.loyalty_tier,
        dated.updated_date < {{ days_before(as_of_date(), 'limits.month_days') }} as is_before_last_month,
        row_number() over (
            partition by dated.customer_id
            order by dated.updated_at desc, dated.loaded_at desc, dated.source_row desc
        ) as version_number,
        row_number() over (
            partition by dated.customer_id, dated.updated_date < {{ days_before(as_of_date(), 'limits.month_days') }}
            order by dated.updated_at desc, dated.loaded_at desc, dated.source_row desc
        ) as version_number_in_period
    from dated
    cross join limits
    where dated.updated_date < {{ as_of_date() }}

),

final as (

    select
        current_rows.customer_id,
        coalesce(latest.loyalty_tier, current_rows.loyalty_tier) as loyalty_tier,
        earlier.loyalty_tier as loyalty_tier_a_month_ago
    from current_rows
    left join known as latest
        on current_rows.customer_id = latest.customer_id and latest.version_number = 1
    left join known as earlier
        on
            current_rows.customer_id = earlier.customer_id
            and earlier.is_before_last_month
            and earlier.version_number_in_period = 1

)

select * from final
