{{ config_roll_up() }}

with consents as (

    select * from {{ ref('stg_consents') }}
    where
        purpose = 'marketing'
        and changed_date < {{ as_of_date() }}
        and {{ is_refreshed() }}

),

final as (

    select
        customer_id,
        max(case when is_granted then changed_at end) as last_granted_at,
        max(case when not is_granted then changed_at end) as last_withdrawn_at
    from consents
    group by customer_id

)

select * from final
