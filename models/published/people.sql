-- Contact keys leave as hashes only, and only where everybody with that address allows the channel for marketing on the day.
with customers as (

    select * from {{ ref('int_customers') }}

),

addresses as (

    {{ contact_addresses() }}

),

allowed as (

    select
        addresses.customer_id,
        addresses.channel,
        addresses.address
    from addresses
    inner join {{ ref('audience_contactability') }} as contactability
        on
            addresses.customer_id = contactability.customer_id
            and addresses.channel = contactability.channel
    where
        contactability.purpose = 'marketing'
        and contactability.has_consent
        and not contactability.is_unsubscribed
        and not contactability.is_address_barred

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
        {{ sha256_of('email.address') }} as email_sha256,
        {{ sha256_of('sms.address') }} as phone_sha256
    from customers
    left join allowed as email on customers.customer_id = email.customer_id and email.channel = 'email'
    left join allowed as sms on customers.customer_id = sms.customer_id and sms.channel = 'sms'
    left join erased on customers.customer_id = erased.customer_id
    where erased.customer_id is null

)

select * from final
