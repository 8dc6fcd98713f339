{{ config_roll_up() }}

with contacts as (

    select * from {{ ref('stg_campaign_contacts') }}
    where
        sent_date < {{ as_of_date() }}
        and {{ is_refreshed() }}

),

limits as (

    select cast({{ threshold('contact_preference_window_days') }} as integer) as window_days

),

-- The first sign of a message being read is its opening; where nobody reports openings, the click.
answers as (

    select
        contacts.customer_id,
        coalesce(contacts.opened_at, contacts.clicked_at) as answered_at,
        coalesce(contacts.opened_date, contacts.clicked_date) as answered_date
    from contacts
    cross join limits
    where
        contacts.sent_date >= {{ days_before(as_of_date(), 'limits.window_days') }}
        and coalesce(contacts.opened_date, contacts.clicked_date) < {{ as_of_date() }}

),

placed as (

    select
        customer_id,
        {{ iso_weekday('answered_date') }} as answer_weekday,
        {{ business_hour('answered_at') }} as answer_hour
    from answers

),

final as (

    select
        customer_id,
        answer_weekday,
        answer_hour,
        count(*) as answer_count
    from placed
    group by customer_id, answer_weekday, answer_hour

)

select * from final
