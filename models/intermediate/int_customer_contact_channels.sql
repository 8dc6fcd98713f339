-- A view: it decides for each channel which of two counts holds, and writing that down would cost more than deciding it twice.
{{ config(materialized='view') }}

with contacts as (

    select * from {{ ref('int_customer_contacts') }}

),

-- Nobody reports whether a letter arrived. Where a channel reports deliveries, what was not delivered did not reach the customer.
delivery_reports as (

    select
        channel,
        sum(delivered_contacts) > 0 as is_delivery_reported
    from {{ ref('int_customer_contacts') }}
    group by channel

),

final as (

    select
        contacts.customer_id,
        contacts.channel,

        case when delivery_reports.is_delivery_reported then contacts.arrived_contacts else contacts.contact_count end as contact_count,
        case when delivery_reports.is_delivery_reported then contacts.first_arrived_date else contacts.first_contact_date end as first_contact_date,
        case when delivery_reports.is_delivery_reported then contacts.last_arrived_date else contacts.last_contact_date end as last_contact_date,
        contacts.last_unsubscribed_at,
        contacts.last_unsubscribed_date,

        case when delivery_reports.is_delivery_reported then contacts.window_arrived else contacts.window_contacts end as window_contacts,
        contacts.window_opened,
        contacts.window_clicked,
        contacts.window_converted,
        contacts.window_responded,
        contacts.window_answered,

        case when delivery_reports.is_delivery_reported then contacts.recent_arrived else contacts.recent_contacts end as recent_contacts,
        contacts.recent_answered,
        case when delivery_reports.is_delivery_reported then contacts.previous_arrived else contacts.previous_contacts end as previous_contacts,
        contacts.previous_answered,

        case when delivery_reports.is_delivery_reported then contacts.preference_arrived else contacts.preference_contacts end as preference_contacts,
        contacts.preference_answered
    from contacts
    inner join delivery_reports on contacts.channel = delivery_reports.channel
    where
        contacts.arrived_contacts > 0
        or not delivery_reports.is_delivery_reported

)

select * from final
