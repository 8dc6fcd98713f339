-- Whether a customer may be written to, for each purpose and channel that anybody has ever said something about.
-- Whoever has no row here has allowed nothing.
with consents as (

    select * from {{ ref('stg_consents') }}
    where changed_date < {{ as_of_date() }}

),

contacts as (

    select * from {{ ref('stg_campaign_contacts') }}
    where sent_date < {{ as_of_date() }}

),

campaigns as (

    select
        campaign_id,
        channel
    from {{ ref('stg_campaigns') }}

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
    group by customer_id, purpose, channel

),

sent as (

    select
        contacts.customer_id,
        coalesce(channel_names.channel, 'other') as channel,
        contacts.sent_date,
        case when contacts.unsubscribed_date < {{ as_of_date() }} then contacts.unsubscribed_at end as unsubscribed_at
    from contacts
    left join campaigns on contacts.campaign_id = campaigns.campaign_id
    left join channel_names on coalesce(contacts.channel, campaigns.channel) = channel_names.name

),

-- Whether one more message today would be on too many days: the day described is the seventh of them.
messages as (

    select
        customer_id,
        channel,
        max(unsubscribed_at) as last_unsubscribed_at,
        count(distinct case when sent_date >= {{ days_before(as_of_date(), '6') }} then sent_date end) as contact_days
    from sent
    group by customer_id, channel

),

messages_of_any_channel as (

    select
        customer_id,
        count(distinct sent_date) as contact_days
    from sent
    where sent_date >= {{ days_before(as_of_date(), '6') }}
    group by customer_id

),

overall_limit as (

    select * from limits
    where channel = 'any'

),

final as (

    select
        permissions.customer_id,
        permissions.purpose,
        permissions.channel,
        -- Yes and no at the same instant is a no.
        coalesce(permissions.last_granted_at > permissions.last_withdrawn_at, permissions.last_granted_at is not null) as has_consent,
        -- Only a yes that came later takes an unsubscription back.
        messages.last_unsubscribed_at is not null
        and not coalesce(permissions.last_granted_at > messages.last_unsubscribed_at, false) as is_unsubscribed,
        cast(coalesce(messages.contact_days, 0) as bigint) as contact_days,
        cast(coalesce(messages_of_any_channel.contact_days, 0) as bigint) as contact_days_of_any_channel,
        limits.messages_per_day < 1
        or coalesce(messages.contact_days, 0) >= limits.contact_days_per_week
        or coalesce(messages_of_any_channel.contact_days, 0) >= overall_limit.contact_days_per_week as is_over_limit
    from permissions
    inner join limits on permissions.channel = limits.channel
    cross join overall_limit
    left join messages on permissions.customer_id = messages.customer_id and permissions.channel = messages.channel
    left join messages_of_any_channel on permissions.customer_id = messages_of_any_channel.customer_id
    where permissions.channel <> 'any'

)

select * from final
