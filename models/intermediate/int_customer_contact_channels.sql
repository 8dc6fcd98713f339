with contacts as (

    select * from {{ ref('int_customer_contacts') }}

),

-- Nobody reports whether a letter arrived. Where a channel reports deliveries, what was not delivered did not reach the customer.
delivery_reports as (

    select
        channel,
        sum(delivered_contacts) > 0 as is_delivery_reported
    from contacts
    group by channel

),

final as (

    select
        contacts.customer_id,
        contacts.channel,

        cast(sum(contacts.contact_count) as bigint) as contact_count,
        min(contacts.first_contact_date) as first_contact_date,
        max(contacts.last_contact_date) as last_contact_date,
        max(contacts.last_unsubscribed_at) as last_unsubscribed_at,
        max(contacts.last_unsubscribed_date) as last_unsubscribed_date,

        cast(sum(contacts.window_contacts) as bigint) as window_contacts,
        cast(sum(contacts.window_opened) as bigint) as window_opened,
        cast(sum(contacts.window_clicked) as bigint) as window_clicked,
        cast(sum(contacts.window_converted) as bigint) as window_converted,
        cast(sum(contacts.window_responded) as bigint) as window_responded,
        cast(sum(contacts.window_answered) as bigint) as window_answered,

        cast(sum(contacts.recent_contacts) as bigint) as recent_contacts,
        cast(sum(contacts.recent_answered) as bigint) as recent_answered,
        cast(sum(contacts.previous_contacts) as bigint) as previous_contacts,
        cast(sum(contacts.previous_answered) as bigint) as previous_answered,

        cast(sum(contacts.preference_contacts) as bigint) as preference_contacts,
        cast(sum(contacts.preference_answered) as bigint) as preference_answered
    from contacts
    inner join delivery_reports on contacts.channel = delivery_reports.channel
    where
        contacts.has_arrived
        or not delivery_reports.is_delivery_reported
    group by contacts.customer_id, contacts.channel

)

select * from final
