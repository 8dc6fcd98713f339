with customers as (

    select * from {{ ref('int_customers') }}

),

contact_channels as (

    select * from {{ ref('int_customer_contact_channels') }}

),

permissions as (

    select * from {{ ref('int_customer_permissions') }}

),

redeemed as (

    select * from {{ ref('int_customer_redemptions') }}

),

contacted as (

    select
        customer_id,
        sum(contact_count) as contact_count,
        min(first_contact_date) as first_contact_date,
        max(last_contact_date) as last_contact_date,

        sum(window_contacts) as window_contacts,
        sum(window_opened) as window_opened,
        sum(window_clicked) as window_clicked,
        sum(window_converted) as window_converted,
        sum(window_responded) as window_responded,
        sum(window_answered) as window_answered,
        sum(recent_contacts) as recent_contacts,
        sum(recent_answered) as recent_answered,
        sum(previous_contacts) as previous_contacts,
        sum(previous_answered) as previous_answered,

        count(*) as contacted_channels,
        count(last_unsubscribed_at) as unsubscribed_channels,
        max(last_unsubscribed_at) as last_unsubscribed_at,
        max(last_unsubscribed_date) as last_unsubscribed_date,
        max(case when last_unsubscribed_at is null then last_contact_date end) as last_open_contact_date
    from contact_channels
    group by customer_id

),

-- A no counts for every channel until the customer allows marketing again, or is written to through a channel they said nothing against.
judged as (

    select
        contacted.*,
        contacted.last_unsubscribed_at is not null
        and not coalesce(
            permissions.last_granted_at > greatest(contacted.last_unsubscribed_at, permissions.last_withdrawn_at),
            false
        )
        and not coalesce(contacted.last_open_contact_date > contacted.last_unsubscribed_date, false) as is_unsubscribed
    from contacted
    left join permissions on contacted.customer_id = permissions.customer_id

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        cast(coalesce(judged.contact_count, 0) as bigint) as contact_count,
        judged.first_contact_date,
        judged.last_contact_date,
        {{ days_between('judged.last_contact_date', 'customers.as_of_date') }} as days_since_last_contact,

        cast(coalesce(judged.window_contacts, 0) as bigint) as window_contacts,
        cast(coalesce(judged.window_opened, 0) as bigint) as window_opened,
        cast(coalesce(judged.window_clicked, 0) as bigint) as window_clicked,
        cast(coalesce(judged.window_converted, 0) as bigint) as window_converted,
        cast(coalesce(judged.window_responded, 0) as bigint) as window_responded,
        cast(coalesce(judged.window_answered, 0) as bigint) as window_answered,
        cast(coalesce(redeemed.window_redemptions, 0) as bigint) as window_redemptions,
        cast(coalesce(judged.window_converted, 0) + coalesce(redeemed.window_redemptions, 0) as bigint) as window_responses,

        cast(coalesce(judged.recent_contacts, 0) as bigint) as recent_contacts,
        cast(coalesce(judged.recent_answered, 0) as bigint) as recent_answered,
        cast(coalesce(judged.previous_contacts, 0) as bigint) as previous_contacts,
        cast(coalesce(judged.previous_answered, 0) as bigint) as previous_answered,

        {{ ratio('judged.window_opened', 'judged.window_contacts') }} as open_rate,
        {{ ratio('judged.window_clicked', 'judged.window_contacts') }} as click_rate,
        {{ ratio('judged.window_responded', 'judged.window_contacts') }} as response_rate,
        {{ ratio('judged.window_answered', 'judged.window_contacts') }} as answer_rate,
        {{ ratio('judged.recent_answered', 'judged.recent_contacts') }} as recent_answer_rate,
        {{ ratio('judged.previous_answered', 'judged.previous_contacts') }} as previous_answer_rate,
        -- Whole numbers first: equal rates must give exactly 1.
        {{ ratio(
            'judged.recent_answered * judged.previous_contacts',
            'judged.previous_answered * judged.recent_contacts'
        ) }} as answer_rate_change,

        cast(coalesce(redeemed.redemption_count, 0) as bigint) as redemption_count,
        redeemed.last_redemption_date,

        cast(coalesce(judged.contacted_channels, 0) as bigint) as contacted_channels,
        cast(coalesce(judged.unsubscribed_channels, 0) as bigint) as unsubscribed_channels,
        coalesce(judged.is_unsubscribed, false) as is_unsubscribed,
        judged.last_unsubscribed_date
    from customers
    left join judged on customers.customer_id = judged.customer_id
    left join redeemed on customers.customer_id = redeemed.customer_id

)

select * from final
