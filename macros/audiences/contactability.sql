{#-
    Whether a customer may be written to on a day: the query of `audience_contactability`, and what a delivery asks once more when it goes out.

    Asked at the opening of the day, nothing that comes on it has happened. A delivery goes out while the day is underway: what has become known of
    it counts, and so do the messages already sent on it.

    day: the day, as a date in SQL.
    is_underway: whether what is known of the day itself counts.
-#}
{% macro contactability(day, is_underway=false) -%}
{%- set known_until = days_before(day, '-1') if is_underway else day -%}
with consents as (

    select * from {{ ref('stg_consents') }}
    where changed_date < {{ known_until }}

),

contacts as (

    select * from {{ ref('stg_campaign_contacts') }}
    where sent_date < {{ known_until }}

),

campaigns as (

    select
        campaign_id,
        channel
    from {{ ref('stg_campaigns') }}

),

erased as (

    select distinct customer_id
    from {{ ref('stg_erasure_requests') }}
    where requested_date < {{ known_until }}

),

channel_names as (

    select
        name,
        channel
    from {{ ref('contact_channels') }}

),

limits as (

    select * from {{ ref('contact_limits') }}

),

overall_limit as (

    select * from limits
    where channel = 'any'

),

addresses as (

    {{ contact_addresses() }}

),

-- A change for any channel is a change for each.
changes as (

    select
        consents.customer_id,
        consents.purpose,
        limits.channel,
        consents.is_granted,
        consents.changed_at
    from consents
    left join channel_names on consents.channel = channel_names.name
    inner join limits
        on consents.channel = 'any' or coalesce(channel_names.channel, consents.channel) = limits.channel

),

permissions as (

    select
        customer_id,
        purpose,
        channel,
        max(case when is_granted then changed_at end) as last_granted_at,
        max(case when not is_granted then changed_at end) as last_withdrawn_at
    from changes
    where channel <> 'any'
    group by customer_id, purpose, channel

),

sent as (

    select
        contacts.customer_id,
        coalesce(channel_names.channel, 'other') as channel,
        contacts.sent_date,
        case when contacts.unsubscribed_date < {{ known_until }} then contacts.unsubscribed_at end as unsubscribed_at
    from contacts
    left join campaigns on contacts.campaign_id = campaigns.campaign_id
    left join channel_names on coalesce(contacts.channel, campaigns.channel) = channel_names.name

),

-- Whether one more message on the day would be too many on it, or on too many days: it is the seventh of seven.
messages as (

    select
        customer_id,
        channel,
        max(unsubscribed_at) as last_unsubscribed_at,
        count(distinct case when sent_date >= {{ days_before(day, '6') }} and sent_date < {{ day }} then sent_date end) as contact_days,
        count(case when sent_date = {{ day }} then 1 end) as messages_of_the_day
    from sent
    group by customer_id, channel

),

messages_of_any_channel as (

    select
        customer_id,
        count(distinct case when sent_date < {{ day }} then sent_date end) as contact_days,
        count(case when sent_date = {{ day }} then 1 end) as messages_of_the_day
    from sent
    where sent_date >= {{ days_before(day, '6') }}
    group by customer_id

),

said as (

    select
        permissions.customer_id,
        permissions.purpose,
        permissions.channel,
        erased.customer_id is not null as is_erased,
        -- Yes and no at the same instant is a no.
        coalesce(permissions.last_granted_at > permissions.last_withdrawn_at, permissions.last_granted_at is not null) as has_consent,
        -- Only a yes that came later takes an unsubscription back.
        messages.last_unsubscribed_at is not null
        and not coalesce(permissions.last_granted_at > messages.last_unsubscribed_at, false) as is_unsubscribed,
        cast(coalesce(messages.contact_days, 0) as bigint) as contact_days,
        cast(coalesce(messages_of_any_channel.contact_days, 0) as bigint) as contact_days_of_any_channel,
        coalesce(messages.messages_of_the_day, 0) >= limits.messages_per_day
        or coalesce(messages_of_any_channel.messages_of_the_day, 0) >= overall_limit.messages_per_day
        or coalesce(messages.contact_days, 0) >= limits.contact_days_per_week
        or coalesce(messages_of_any_channel.contact_days, 0) >= overall_limit.contact_days_per_week as is_over_limit
    from permissions
    inner join limits on permissions.channel = limits.channel
    cross join overall_limit
    left join erased on permissions.customer_id = erased.customer_id
    left join messages on permissions.customer_id = messages.customer_id and permissions.channel = messages.channel
    left join messages_of_any_channel on permissions.customer_id = messages_of_any_channel.customer_id

),

shared_addresses as (

    select
        channel,
        address,
        count(*) as holders
    from addresses
    group by channel, address
    having count(*) > 1

),

holders as (

    select
        addresses.customer_id,
        addresses.channel,
        addresses.address,
        shared_addresses.holders
    from addresses
    inner join shared_addresses on addresses.channel = shared_addresses.channel and addresses.address = shared_addresses.address

),

-- What the holders of a shared address have said between them. Who has said nothing has allowed nothing.
said_by_address as (

    select
        holders.channel,
        holders.address,
        said.purpose,
        count(case when said.has_consent and not said.is_unsubscribed and not said.is_erased then 1 end) < max(holders.holders) as is_barred,
        max(case when said.is_over_limit then 1 else 0 end) = 1 as is_over_limit
    from holders
    inner join said on holders.customer_id = said.customer_id and holders.channel = said.channel
    group by holders.channel, holders.address, said.purpose

),

final as (

    select
        said.customer_id,
        said.purpose,
        said.channel,
        said.is_erased,
        said.has_consent,
        said.is_unsubscribed,
        -- Letters and the app need no address of ours.
        said.channel not in ('email', 'sms') or addresses.address is not null as has_address,
        coalesce(said_by_address.is_barred, false) as is_address_barred,
        said.contact_days,
        said.contact_days_of_any_channel,
        said.is_over_limit or coalesce(said_by_address.is_over_limit, false) as is_over_limit
    from said
    left join addresses on said.customer_id = addresses.customer_id and said.channel = addresses.channel
    left join
        said_by_address
        on
            addresses.channel = said_by_address.channel
            and addresses.address = said_by_address.address
            and said.purpose = said_by_address.purpose

)

select * from final
{%- endmacro %}

{#-
    Everything that a message can be sent to: one row per customer and channel, the address as its hash is made of it.

    An e-mail address is taken as advertising tools hash it, in lower case without blanks around it. A telephone number is the digits of E.164: the code
    of its country and the number, without + or 00 before it and without anything between. Where the code of the country is not told there is no
    address: nobody could say whose number it is.
-#}
{% macro contact_addresses() -%}
    select
        customer_id,
        'email' as channel,
        lower(trim(email)) as address
    from {{ ref('stg_customers') }}
    where email like '%_@_%'
    union all
    select
        customer_id,
        'sms' as channel,
        digits as address
    from (
        select
            customer_id,
            case when number like '+%' then substring(number, 2) when number like '00%' then substring(number, 3) end as digits
        from (
            select
                customer_id,
                translate(replace(phone, '(0)', ''), ' -()/.', '') as number -- noqa: RF04
            from {{ ref('stg_customers') }}
            where phone is not null
        ) as numbers
    ) as told
    where
        digits not like '0%'
        and length(digits) between 8 and 15
        and translate(digits, '0123456789', '') = ''
{%- endmacro %}
