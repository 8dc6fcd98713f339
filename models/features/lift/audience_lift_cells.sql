-- All that the comparison of the two sides needs, in a few rows for each campaign. Without a recorded campaign nothing is read but
-- the empty list of members.
with members as (

    select * from {{ ref('recorded_campaign_members') }}
    where campaign_id is not null

),

campaigns as (

    select
        campaign_id,
        starts_on
    from {{ ref('stg_campaigns') }}

),

contacts as (

    select
        campaign_id,
        customer_id
    from {{ ref('stg_campaign_contacts') }}
    where sent_date < {{ as_of_date() }}

),

days as (

    select
        customer_id,
        order_date,
        purchase_orders,
        net_amount
    from {{ ref('int_customer_days') }}

),

limits as (

    select
        cast({{ threshold('lift_response_window_days') }} as integer) as window_days,
        cast({{ threshold('lift_before_days') }} as integer) as before_days,
        cast({{ threshold('lift_measured_days') }} as integer) as measured_days

),

-- The first day on which somebody was recorded for an audience is the last one that no campaign to it had a part in: what the sides are
-- compared by is as of then. Later the treated differ by what earlier campaigns brought.
first_days as (

    select
        audience_id,
        customer_id,
        min(as_of_date) as first_recorded_on
    from members
    group by audience_id, customer_id

),

baselines as (

    select
        first_days.audience_id,
        first_days.customer_id,
        first_days.first_recorded_on,
        max(members.value_tier) as value_tier
    from first_days
    inner join members
        on
            first_days.audience_id = members.audience_id
            and first_days.customer_id = members.customer_id
            and first_days.first_recorded_on = members.as_of_date
    group by first_days.audience_id, first_days.customer_id, first_days.first_recorded_on

),

-- A campaign that was moved since has another first day, and other members on it.
measured as (

    select
        members.campaign_id,
        members.audience_id,
        members.customer_id,
        members.is_holdout,
        baselines.value_tier,
        members.as_of_date as starts_on,
        baselines.first_recorded_on,
        {{ days_before('baselines.first_recorded_on', 'limits.before_days') }} as before_starts_on,
        {{ days_before('members.as_of_date', '-limits.window_days') }} as window_ends_on
    from members
    inner join campaigns
        on
            members.campaign_id = campaigns.campaign_id
            and members.as_of_date = campaigns.starts_on
    cross join limits
    left join baselines
        on
            members.audience_id = baselines.audience_id
            and members.customer_id = baselines.customer_id
    where
        members.as_of_date < {{ as_of_date() }}
        and members.as_of_date >= {{ days_before(as_of_date(), 'limits.measured_days') }}

),

-- Both sides by the same days, whether and whenever a message was sent.
spent as (

    select
        measured.campaign_id,
        measured.audience_id,
        measured.customer_id,
        max(case when days.order_date >= measured.starts_on and days.purchase_orders > 0 then 1 else 0 end) as has_bought,
        sum(case when days.order_date >= measured.starts_on then days.net_amount else 0 end) as revenue,
        max(case when days.order_date < measured.first_recorded_on and days.purchase_orders > 0 then 1 else 0 end) as has_bought_before,
        sum(case when days.order_date < measured.first_recorded_on then days.net_amount else 0 end) as spend_before
    from measured
    inner join days
        on
            measured.customer_id = days.customer_id
            and measured.before_starts_on <= days.order_date
            and measured.window_ends_on > days.order_date
    group by measured.campaign_id, measured.audience_id, measured.customer_id

),

measured_campaigns as (

    select distinct campaign_id
    from measured

),

contacted as (

    select distinct
        contacts.campaign_id,
        contacts.customer_id
    from contacts
    inner join measured_campaigns on contacts.campaign_id = measured_campaigns.campaign_id

),

figures as (

    select
        measured.campaign_id,
        measured.audience_id,
        measured.starts_on,
        measured.is_holdout,
        measured.value_tier,
        measured.customer_id,
        contacted.customer_id as contacted_customer_id,
        coalesce(spent.has_bought, 0) as has_bought,
        coalesce(spent.has_bought_before, 0) = 1 as has_bought_before,
        cast(coalesce(spent.revenue, 0) as decimal(18, 2)) as revenue,
        cast(coalesce(spent.spend_before, 0) as decimal(18, 2)) as spend_before
    from measured
    left join spent
        on
            measured.campaign_id = spent.campaign_id
            and measured.audience_id = spent.audience_id
            and measured.customer_id = spent.customer_id
    left join contacted
        on
            measured.campaign_id = contacted.campaign_id
            and measured.customer_id = contacted.customer_id

),

-- A campaign that nobody was eligible for has one row of nobody.
final as (

    select
        campaign_id,
        audience_id,
        starts_on,
        is_holdout,
        value_tier,
        has_bought_before,
        count(customer_id) as customers,
        count(contacted_customer_id) as contacted_customers,
        cast(sum(has_bought) as bigint) as responding_customers,
        cast(sum(revenue) as decimal(28, 2)) as revenue,
        cast(sum({{ squared('revenue') }}) as decimal(38, 4)) as squared_revenue,
        cast(sum(spend_before) as decimal(28, 2)) as spend_before,
        cast(sum({{ squared('spend_before') }}) as decimal(38, 4)) as squared_spend_before
    from figures
    group by campaign_id, audience_id, starts_on, is_holdout, value_tier, has_bought_before

)

select * from final
