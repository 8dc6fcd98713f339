{{ config_roll_up() }}

with ledger as (

    select * from {{ ref('stg_loyalty_ledger') }}
    where
        occurred_date < {{ as_of_date() }}
        and {{ is_refreshed() }}

),

limits as (

    select
        cast({{ threshold('programme_engagement_month_days') }} as integer) as month_days,
        cast({{ threshold('programme_engagement_redemption_days') }} as integer) as redemption_days,
        cast({{ threshold('kpi_period_days') }} as integer) as period_days

),

first_days as (

    select
        customer_id,
        min(occurred_date) as first_entry_date
    from ledger
    group by customer_id

),

-- Sources write points that leave with and without a minus: redeemed and expired points always leave,
-- earned and adjusted ones keep their sign.
signed as (

    select
        ledger.customer_id,
        ledger.occurred_date,
        ledger.entry_type,
        first_days.first_entry_date,
        ledger.order_id is not null as is_for_an_order,
        case
            when ledger.entry_type in ('redeem', 'expire') then -abs(coalesce(ledger.points, 0))
            else coalesce(ledger.points, 0)
        end as points,
        ledger.occurred_date >= {{ days_before(as_of_date(), 'limits.month_days') }} as is_last_month,
        ledger.occurred_date >= {{ days_before(as_of_date(), 'limits.redemption_days') }} as is_recent,
        ledger.occurred_date >= {{ days_before(as_of_date(), 'limits.period_days') }} as is_period
    from ledger
    inner join first_days on ledger.customer_id = first_days.customer_id
    cross join limits

),

final as (

    select
        customer_id,

        count(*) as entry_count,
        min(first_entry_date) as first_entry_date,
        max(occurred_date) as last_entry_date,
        cast(sum(points) as decimal(18, 2)) as points_balance,

        -- Points taken back for a return are negative: they lower what was earned and are no sign of life.
        count(*) filter (where is_last_month and entry_type = 'earn' and points > 0) as month_earnings,
        -- Of these, what the programme gave on the customer's first day in it for nothing that was bought: the welcome.
        count(*) filter (
            where is_last_month and entry_type = 'earn' and points > 0 and occurred_date = first_entry_date and not is_for_an_order
        ) as month_welcomes,
        count(*) filter (where is_last_month and entry_type = 'redeem') as month_redemptions,
        cast(sum(case when is_last_month and entry_type = 'earn' then points else 0 end) as decimal(18, 2)) as month_points_earned,
        cast(sum(case when is_last_month and entry_type = 'redeem' then -points else 0 end) as decimal(18, 2)) as month_points_spent,

        count(*) filter (where entry_type = 'earn' and is_for_an_order) as order_earnings,
        count(*) filter (where entry_type = 'redeem') as points_redemptions,
        count(*) filter (where is_recent and entry_type = 'redeem') as recent_points_redemptions,
        cast(sum(case when entry_type = 'earn' then points else 0 end) as decimal(18, 2)) as points_earned,
        cast(sum(case when entry_type = 'redeem' then -points else 0 end) as decimal(18, 2)) as points_spent,
        max(case when entry_type = 'redeem' then occurred_date end) as last_points_redemption_date,
        -- In the period of the KPIs.
        cast(sum(case when is_period and entry_type = 'redeem' then -points else 0 end) as decimal(18, 2)) as period_points_redeemed
    from signed
    group by customer_id

)

select * from final
