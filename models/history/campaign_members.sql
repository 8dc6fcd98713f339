-- Who could have been contacted when a campaign for their audience began, and who of them was held out: those whom lift compares.
-- Who is a member tomorrow may be one for the campaign's sake, so what counts is the morning of its first day, and it is kept.
--
-- One row per recorded day has no campaign, and a campaign without eligible members has one row without a customer: they say that there
-- was nobody, and they let a day that is recorded again lose its rows.
{{ configure_history() }}
{{ config(pre_hook="{{ begin_recording() }}") }}

with campaigns as (

    select
        campaign_id,
        target_audience
    from {{ ref('stg_campaigns') }}
    where
        starts_on = {{ as_of_date() }}
        and target_audience is not null

),

rules as (

    select
        audience_id,
        name
    from {{ ref('audience_rules') }}

),

-- The holdout is the last obstacle that is named: both sides have passed all others.
eligible as (

    select
        person_id as customer_id,
        audience_id,
        is_holdout
    from {{ ref('audience_memberships') }}
    where is_contactable or suppressed_reason = 'holdout'

),

value_tiers as (

    select
        customer_id,
        segment as value_tier
    from {{ ref('value_tier_segments') }}

),

targeted as (

    select
        campaigns.campaign_id,
        rules.audience_id
    from campaigns
    inner join rules on {{ is_targeted('campaigns.target_audience', 'rules') }}

),

final as (

    select
        {{ as_of_date() }} as as_of_date,
        targeted.campaign_id,
        targeted.audience_id,
        eligible.customer_id,
        eligible.is_holdout,
        value_tiers.value_tier
    from targeted
    left join eligible on targeted.audience_id = eligible.audience_id
    left join value_tiers on eligible.customer_id = value_tiers.customer_id
    union all
    select
        {{ as_of_date() }} as as_of_date,
        cast(null as {{ dbt.type_string() }}) as campaign_id,
        cast(null as {{ dbt.type_string() }}) as audience_id,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        cast(null as boolean) as is_holdout,
        cast(null as {{ dbt.type_string() }}) as value_tier

)

select * from final
