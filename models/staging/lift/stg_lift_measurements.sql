{{ config(pre_hook="{{ ensure_source_table('lift', 'measurements') }}") }}

with measurements as (

    select * from {{ source('lift', 'measurements') }}

),

final as (

    select
        cast(campaign_id as {{ dbt.type_string() }}) as campaign_id,
        cast(audience_id as {{ dbt.type_string() }}) as audience_id,
        cast(treated_customers as bigint) as treated_customers,
        cast(holdout_customers as bigint) as holdout_customers,
        cast(treated_contacted as bigint) as treated_contacted,
        cast(holdout_contacted as bigint) as holdout_contacted,
        cast(treated_responses as bigint) as treated_responses,
        cast(holdout_responses as bigint) as holdout_responses,
        cast(treated_response_rate as double) as treated_response_rate,
        cast(holdout_response_rate as double) as holdout_response_rate,
        cast(response_difference as double) as response_difference,
        cast(response_difference_lower as double) as response_difference_lower,
        cast(response_difference_upper as double) as response_difference_upper,
        cast(treated_revenue_per_customer as decimal(18, 4)) as treated_revenue_per_customer,
        cast(holdout_revenue_per_customer as decimal(18, 4)) as holdout_revenue_per_customer,
        cast(revenue_difference as decimal(18, 4)) as revenue_difference,
        cast(revenue_difference_lower as decimal(18, 4)) as revenue_difference_lower,
        cast(revenue_difference_upper as decimal(18, 4)) as revenue_difference_upper,
        cast(spend_before_difference as double) as spend_before_difference,
        cast(balance_p_value as double) as balance_p_value
    from measurements

)

select * from final
