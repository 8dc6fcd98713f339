with channels as (

    select * from {{ ref('customer_channel_features') }}

),

limits as (

    select
        {{ threshold('channel_preference_minimum_contacts') }} as minimum_contacts,
        {{ threshold('channel_preference_leading_share') }} as leading_share,
        {{ threshold('channel_preference_own_segment_share') }} as own_segment_share

),

final as (

    select
        channels.customer_id,
        channels.as_of_date,
        case
            when channels.channel_known_orders + channels.channel_known_visit_days < limits.minimum_contacts then 'unknown'
            -- Compared as whole numbers times the threshold: a share of exactly seven tenths must not depend on the last bit of a float.
            when channels.leading_channel_weight < limits.leading_share * channels.channel_weight then 'omnichannel'
            when channels.leading_channel_population_share < limits.own_segment_share then 'other'
            else channels.leading_channel
        end as segment,
        channels.channel_known_orders,
        channels.channel_known_visit_days,
        channels.leading_channel,
        channels.leading_channel_share
    from channels
    cross join limits

)

select * from final
