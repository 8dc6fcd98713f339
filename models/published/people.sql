-- Contact keys leave as hashes only, and only where the customer allows that channel for marketing on the day.
with customers as (

    select * from {{ ref('int_customers') }}

),

profiles as (

    select
        customer_id,
        nullif(lower(trim(email)), '') as email,
        nullif(translate(phone, ' -()/.', ''), '') as phone
    from {{ ref('stg_customers') }}

),

permissions as (

    select
        customer_id,
        max(case when channel = 'email' then 1 end) as may_email,
        max(case when channel = 'sms' then 1 end) as may_sms
    from {{ ref('audience_contactability') }}
    where
        purpose = 'marketing'
        and has_consent
        and not is_unsubscribed
    group by customer_id

),

erased as (

    select distinct customer_id
    from {{ ref('stg_erasure_requests') }}
    where requested_date < {{ as_of_date() }}

),

final as (

    select
        customers.customer_id as person_id,
        customers.as_of_date,
        case when permissions.may_email = 1 then {{ sha256_of('profiles.email') }} end as email_sha256,
        case when permissions.may_sms = 1 then {{ sha256_of('profiles.phone') }} end as phone_sha256
    from customers
    inner join profiles on customers.customer_id = profiles.customer_id
    left join permissions on customers.customer_id = permissions.customer_id
    left join erased on customers.customer_id = erased.customer_id
    where erased.customer_id is null

)

select * from final
