with preference as (

    select * from {{ ref('customer_contact_preference_features') }}

),

-- What customers say comes before what they do: they know their reasons.
-- A preference is not a permission: consents are asked by the audiences.
final as (

    select
        customer_id,
        as_of_date,
        coalesce(stated_channel, answering_channel, 'unknown') as segment,
        stated_channel,
        answering_channel,
        answering_channel_contacts,
        answering_channel_answers,
        best_weekday,
        best_hour
    from preference

)

select * from final
