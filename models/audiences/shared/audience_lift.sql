-- What contacting an audience brought: members who could be contacted beside members who were held out, campaign by campaign.
-- Differences stand only where they may be believed; everywhere else is the reason why not.
{{ config(materialized='table', schema='segments', tags=['published', 'guarded'], contract={'enforced': true}) }}

with limits as (

    select
        cast({{ threshold('lift_response_window_days') }} as integer) as window_days,
        cast({{ threshold('lift_measured_days') }} as integer) as measured_days,
        {{ threshold('lift_minimum_customers') }} as minimum_customers,
        {{ threshold('lift_minimum_responses') }} as minimum_responses,
        {{ threshold('lift_balance_probability') }} as balance_probability

),

rules as (

    select
        audience_id,
        name,
        holdout_percent
    from {{ ref('audience_rules') }}

),

campaigns as (

    select
        campaign_id,
        campaign_name,
        starts_on,
        target_audience
    from {{ ref('stg_campaigns') }}
    where
        target_audience is not null
        and starts_on <= {{ as_of_date() }}

),

measurements as (

    select * from {{ ref('stg_lift_measurements') }}

),

compared as (

    select
        campaigns.campaign_id,
        rules.audience_id,
        campaigns.campaign_name,
        campaigns.starts_on,
        {{ days_before('campaigns.starts_on', '-limits.window_days') }} as window_ends_on,
        rules.holdout_percent,
        measurements.campaign_id is not null as is_recorded,
        coalesce(measurements.treated_customers, 0) as treated_customers,
        coalesce(measurements.holdout_customers, 0) as holdout_customers,
        coalesce(measurements.treated_contacted, 0) as treated_contacted,
        coalesce(measurements.holdout_contacted, 0) as holdout_contacted,
        coalesce(measurements.treated_responses, 0) as treated_responses,
        coalesce(measurements.holdout_responses, 0) as holdout_responses,
        measurements.treated_response_rate,
        measurements.holdout_response_rate,
        measurements.response_difference,
        measurements.response_difference_lower,
        measurements.response_difference_upper,
        measurements.treated_revenue_per_customer,
        measurements.holdout_revenue_per_customer,
        measurements.revenue_difference,
        measurements.revenue_difference_lower,
        measurements.revenue_difference_upper,
        measurements.spend_before_difference,
        measurements.balance_p_value,
        limits.minimum_customers,
        limits.minimum_responses,
        limits.balance_probability
    from campaigns
    cross join limits
    inner join rules on {{ is_targeted('campaigns.target_audience', 'rules') }}
    left join
        measurements
        on
            campaigns.campaign_id = measurements.campaign_id
            and rules.audience_id = measurements.audience_id
    where campaigns.starts_on >= {{ days_before(as_of_date(), 'limits.measured_days') }}

),

reasoned as (

    select
        *,
        case
            when holdout_percent = 0 then 'no_holdout'
            when starts_on = {{ as_of_date() }} then 'window_open'
            when not is_recorded then 'members_not_recorded'
            when window_ends_on > {{ as_of_date() }} then 'window_open'
            when treated_customers + holdout_customers = 0 then 'nobody_eligible'
            when treated_customers < minimum_customers or holdout_customers < minimum_customers then 'too_few_customers'
            when treated_responses + holdout_responses < minimum_responses then 'too_few_responses'
            when balance_p_value < balance_probability then 'sides_differed_before'
        end as verdict_reason
    from compared

),

final as (

    select
        campaign_id,
        audience_id,
        {{ as_of_date() }} as as_of_date,
        campaign_name,
        starts_on,
        window_ends_on,
        treated_customers,
        holdout_customers,
        treated_contacted,
        holdout_contacted,
        treated_responses,
        holdout_responses,
        treated_response_rate,
        holdout_response_rate,
        case when verdict_reason is null then response_difference end as response_difference,
        case when verdict_reason is null then response_difference_lower end as response_difference_lower,
        case when verdict_reason is null then response_difference_upper end as response_difference_upper,
        treated_revenue_per_customer,
        holdout_revenue_per_customer,
        case when verdict_reason is null then revenue_difference end as revenue_difference,
        case when verdict_reason is null then revenue_difference_lower end as revenue_difference_lower,
        case when verdict_reason is null then revenue_difference_upper end as revenue_difference_upper,
        spend_before_difference,
        balance_p_value,
        case
            when verdict_reason = 'sides_differed_before' then 'not_comparable'
            when verdict_reason is not null then 'not_enough_yet'
            when response_difference_lower > 0 then 'positive'
            when response_difference_upper < 0 then 'negative'
            else 'no_difference'
        end as verdict,
        case
            when verdict_reason = 'sides_differed_before' then 'not_comparable'
            when verdict_reason is not null then 'not_enough_yet'
            when revenue_difference_lower > 0 then 'positive'
            when revenue_difference_upper < 0 then 'negative'
            else 'no_difference'
        end as revenue_verdict,
        verdict_reason
    from reasoned

)

select * from final
