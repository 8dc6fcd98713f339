with rules as (

    select * from {{ ref('audience_rules') }}

),

memberships as (

    select * from {{ ref('audience_memberships') }}

),

contact_limits as (

    select * from {{ ref('contact_limits') }}

),

counted as (

    select
        audience_id,
        count(*) as size,
        count(case when is_contactable then 1 end) as contactable_size,
        count(case when is_holdout then 1 end) as holdout_size
    from memberships
    group by audience_id

),

-- What all channels together are allowed holds for each of them.
channel_limits as (

    select
        by_channel.channel,
        least(by_channel.messages_per_day, overall.messages_per_day) as messages_per_day,
        least(by_channel.contact_days_per_week, overall.contact_days_per_week) as contact_days_per_week,
        by_channel.quiet_from,
        by_channel.quiet_until
    from contact_limits as by_channel
    left join contact_limits as overall on overall.channel = 'any'

),

final as (

    select
        rules.audience_id,
        rules.name,
        rules.description,
        rules.owner,
        rules.purpose,
        rules.channel,
        {{ as_of_date() }} as as_of_date,
        cast(coalesce(counted.size, 0) as bigint) as size,
        cast(coalesce(counted.contactable_size, 0) as bigint) as contactable_size,
        cast(coalesce(counted.holdout_size, 0) as bigint) as holdout_size,
        cast(rules.minimum_size as integer) as minimum_size,
        cast(channel_limits.messages_per_day as integer) as messages_per_day,
        cast(channel_limits.contact_days_per_week as integer) as contact_days_per_week,
        channel_limits.quiet_from,
        channel_limits.quiet_until,
        rules.last_reviewed,
        rules.definition_hash
    from rules
    left join counted on rules.audience_id = counted.audience_id
    left join channel_limits on rules.channel = channel_limits.channel

)

select * from final
