{#-
    Whether a customer may be written to on a day: the query of `audience_contactability`, and what a delivery asks once more when it goes out.

    Asked at the opening of the day, nothing that comes on it has happened. A delivery goes out while the day is underway: every no that is known
    counts, whatever its date, and so do the messages already sent on the day. A yes counts from the next opening on.

    A no that nobody can place is one all the same: for a channel of no known name it counts for each channel, for any purpose for each purpose, and in a row
    that cannot be read for everything. A yes that nobody can place allows nothing.

    day: the day, as a date in SQL.
    is_underway: whether what is known of the day itself counts.
-#}
{% macro contactability(day, is_underway=false) -%}
with channel_names as (

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

-- The wish for no contact is a no, however it is put down.
consents as (

    select
        consents.customer_id,
        consents.purpose,
        consents.changed_at,
        consents.changed_date,
        consents.is_granted and coalesce(channel_names.channel, '') <> 'none' as is_granted,
        case
            when channel_names.channel = 'none' then 'any'
            else coalesce(channel_names.channel, limits.channel)
        end as channel
    from {{ ref('stg_consents') }} as consents
    left join channel_names on consents.channel = channel_names.name
    left join limits on consents.channel = limits.channel

),

consents_known as (

    select * from consents
    where changed_date < {{ day }}{{ ' or not is_granted' if is_underway }}

),

contacts as (

    select * from {{ ref('stg_campaign_contacts') }}

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
    {%- if not is_underway %}
    where requested_date < {{ day }}
    {%- endif %}

),

unreadable_refusals as (

    select * from {{ ref('unreadable_refusals') }}

),

addresses as (

    {{ contact_addresses() }}

),

-- A change for any channel is a change for each, and a no for a channel that nobody knows too.
changes as (

    select
        consents_known.customer_id,
        consents_known.purpose,
        limits.channel,
        consents_known.is_granted,
        consents_known.changed_at
    from consents_known
    inner join limits
        on
            consents_known.channel = limits.channel
            or consents_known.channel = 'any'
            or (consents_known.channel is null and not consents_known.is_granted)

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

-- A no for whatever purpose is a no for each.
refused_for_all as (

    select
        customer_id,
        channel,
        max(changed_at) as last_withdrawn_at
    from changes
    where
        purpose in ('any', 'all')
        and not is_granted
    group by customer_id, channel

),

-- Where the channel of a message says nothing, that of its campaign does.
sent as (

    select
        contacts.customer_id,
        nullif(coalesce(message_names.channel, campaign_names.channel), 'none') as channel,
        {%- if is_underway %}
        contacts.sent_date,
        contacts.unsubscribed_at
        {%- else %}
        case when contacts.sent_date < {{ day }} then contacts.sent_date end as sent_date,
        case when contacts.unsubscribed_date < {{ day }} then contacts.unsubscribed_at end as unsubscribed_at
        {%- endif %}
    from contacts
    left join campaigns on contacts.campaign_id = campaigns.campaign_id
    left join channel_names as message_names on contacts.channel = message_names.name
    left join channel_names as campaign_names on campaigns.channel = campaign_names.name

),

-- Through what, nobody can tell.
unsubscribed_from_all as (

    select
        customer_id,
        max(unsubscribed_at) as last_unsubscribed_at
    from sent
    where
        channel is null
        and unsubscribed_at is not null
    group by customer_id

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
    where channel is not null
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
        coalesce(
            permissions.last_granted_at > greatest(permissions.last_withdrawn_at, refused_for_all.last_withdrawn_at),
            permissions.last_granted_at is not null
        )
        and unreadable_refusals.customer_id is null as has_consent,
        -- Only a yes that came later takes an unsubscription back.
        coalesce(
            permissions.last_granted_at <= greatest(messages.last_unsubscribed_at, unsubscribed_from_all.last_unsubscribed_at),
            greatest(messages.last_unsubscribed_at, unsubscribed_from_all.last_unsubscribed_at) is not null
        ) as is_unsubscribed,
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
    left join unreadable_refusals on permissions.customer_id = unreadable_refusals.customer_id
    left join refused_for_all on permissions.customer_id = refused_for_all.customer_id and permissions.channel = refused_for_all.channel
    left join unsubscribed_from_all on permissions.customer_id = unsubscribed_from_all.customer_id
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

-- What the holders of a shared address got, one of them or another.
messages_by_address as (

    select
        holders.channel,
        holders.address,
        count(distinct case when sent.sent_date < {{ day }} then sent.sent_date end) as contact_days,
        count(case when sent.sent_date = {{ day }} then 1 end) as messages_of_the_day
    from holders
    inner join sent on holders.customer_id = sent.customer_id and holders.channel = sent.channel
    where sent.sent_date >= {{ days_before(day, '6') }}
    group by holders.channel, holders.address

),

-- What they have said between them. Who has said nothing has allowed nothing.
said_by_address as (

    select
        holders.channel,
        holders.address,
        said.purpose,
        count(case when said.has_consent and not said.is_unsubscribed and not said.is_erased then 1 end) < max(holders.holders) as is_barred,
        max(case when said.is_over_limit then 1 else 0 end) = 1
        or coalesce(max(messages_by_address.messages_of_the_day) >= max(limits.messages_per_day), false)
        or coalesce(max(messages_by_address.contact_days) >= max(limits.contact_days_per_week), false) as is_over_limit
    from holders
    inner join said on holders.customer_id = said.customer_id and holders.channel = said.channel
    inner join limits on holders.channel = limits.channel
    left join messages_by_address on holders.channel = messages_by_address.channel and holders.address = messages_by_address.address
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
        said_by_address.address as shared_address,
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

    An e-mail address is taken as advertising tools hash it, in lower case without blanks around it; what has signs that no address has (a name beside it,
    two addresses in one) is none. A telephone number is the digits of E.164: the code of its country and the number, without + or 00 before it and without
    anything between. Where the code of the country is not told there is no address: nobody could say whose number it is.
-#}
{% macro contact_addresses() -%}
    select
        customer_id,
        'email' as channel,
        address
    from (
        select
            customer_id,
            lower(trim(email)) as address
        from {{ ref('stg_customers') }}
        where email is not null
    ) as written
    where
        address like '%_@_%'
        and translate(address, ' <>,;:', '') = address
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
                translate(replace(number, '(0)', ''), '()', '') as number -- noqa: RF04
            from (
                select
                    customer_id,
                    {#- Signs that stand between digits: of the keyboard, and what text programs make of them. #}
                    translate(replace(lower(phone), 'tel:', ''), '＋ -/. ‐‑‒–—', '+') as number -- noqa: RF04
                from {{ ref('stg_customers') }}
                where phone is not null
            ) as written
        ) as numbers
    ) as told
    where
        digits not like '0%'
        and length(digits) between 8 and 15
        and translate(digits, '0123456789', '') = ''
{%- endmacro %}
