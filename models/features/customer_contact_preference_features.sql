with customers as (

    select * from {{ ref('int_customers') }}

),

profiles as (

    select * from {{ ref('stg_customers') }}
    where preferred_contact_channel is not null

),

survey_answers as (

    select * from {{ ref('int_survey_answers') }}

),

questions as (

    select question from {{ ref('contact_preference_questions') }}

),

channels as (

    select
        name,
        channel
    from {{ ref('contact_channels') }}

),

contact_channels as (

    select * from {{ ref('int_customer_contact_channels') }}

),

answer_times as {{ inlined() }} (

    select * from {{ ref('int_contact_answer_times') }}

),

limits as (

    select
        {{ threshold('contact_preference_minimum_contacts') }} as minimum_contacts,
        {{ threshold('contact_preference_minimum_answers') }} as minimum_answers,
        cast({{ threshold('contact_preference_prior_contacts') }} as integer) as prior_contacts,
        cast({{ threshold('contact_preference_prior_answers') }} as integer) as prior_answers,
        {{ threshold('contact_preference_minimum_timed_answers') }} as minimum_timed_answers,
        {{ threshold('contact_preference_minimum_hour_share') }} as minimum_hour_share

),

-- A survey answers in the customer's own words: what is not in the list says nothing.
-- The profile holds a code: what is not in the list is another channel.
statements as (

    select
        survey_answers.customer_id,
        channels.channel,
        survey_answers.answered_at as stated_at,
        1 as rank_when_equal
    from survey_answers
    inner join questions on survey_answers.question = questions.question
    inner join channels on survey_answers.answer = channels.name
    union all
    select
        profiles.customer_id,
        coalesce(channels.channel, 'other') as channel,
        -- A profile does not say since when it holds: since its last change, or since sign-up where that change is still to come.
        coalesce(
            case when {{ business_date('profiles.updated_at') }} < {{ as_of_date() }} then profiles.updated_at end,
            profiles.signed_up_at
        ) as stated_at,
        2 as rank_when_equal
    from profiles
    left join channels on profiles.preferred_contact_channel = channels.name

),

numbered_statements as (

    select
        customer_id,
        channel,
        row_number() over (
            partition by customer_id
            order by stated_at desc nulls last, rank_when_equal asc, channel asc
        ) as statement_number
    from statements

),

-- One answer in four before anything is known, so that two openings out of two do not beat ten out of twelve.
numbered_channels as (

    select
        contact_channels.customer_id,
        contact_channels.channel,
        contact_channels.preference_contacts,
        contact_channels.preference_answered,
        row_number() over (
            partition by contact_channels.customer_id
            order by
                {{ ratio(
                    'contact_channels.preference_answered + limits.prior_answers',
                    'contact_channels.preference_contacts + limits.prior_contacts'
                ) }} desc,
                contact_channels.preference_answered desc,
                contact_channels.channel asc
        ) as channel_number
    from contact_channels
    cross join limits
    where
        contact_channels.channel not in ('unknown', 'none')
        and contact_channels.preference_contacts >= limits.minimum_contacts
        and contact_channels.preference_answered >= limits.minimum_answers

),

timed_customers as (

    select
        customer_id,
        sum(answer_count) as answer_count
    from answer_times
    group by customer_id

),

weekdays as (

    select
        customer_id,
        answer_weekday,
        sum(answer_count) as answer_count
    from answer_times
    group by customer_id, answer_weekday

),

numbered_weekdays as (

    select
        customer_id,
        answer_weekday,
        answer_count,
        row_number() over (partition by customer_id order by answer_count desc, answer_weekday asc) as weekday_number,
        lead(answer_count) over (partition by customer_id order by answer_count desc, answer_weekday asc) as next_answer_count
    from weekdays

),

hours as (

    select
        customer_id,
        answer_hour,
        sum(answer_count) as answer_count
    from answer_times
    group by customer_id, answer_hour

),

-- An hour together with the one before and the one after it, midnight included: a habit does not keep to the minute.
hour_neighbourhoods as (

    select
        hours.customer_id,
        hours.answer_hour,
        hours.answer_count,
        sum(neighbours.answer_count) as neighbourhood_count
    from hours
    inner join hours as neighbours
        on
            hours.customer_id = neighbours.customer_id
            and (hours.answer_hour - neighbours.answer_hour + 24) % 24 in (0, 1, 23)
    group by hours.customer_id, hours.answer_hour, hours.answer_count

),

numbered_hours as (

    select
        customer_id,
        answer_hour,
        neighbourhood_count,
        row_number() over (
            partition by customer_id
            order by neighbourhood_count desc, answer_count desc, answer_hour asc
        ) as hour_number
    from hour_neighbourhoods

),

best_times as (

    select
        timed_customers.customer_id,
        timed_customers.answer_count,
        case
            when numbered_weekdays.answer_count > coalesce(numbered_weekdays.next_answer_count, 0) then numbered_weekdays.answer_weekday
        end as best_weekday,
        case
            when numbered_hours.neighbourhood_count >= limits.minimum_hour_share * timed_customers.answer_count
                then numbered_hours.answer_hour
        end as best_hour
    from timed_customers
    cross join limits
    inner join numbered_weekdays
        on timed_customers.customer_id = numbered_weekdays.customer_id and numbered_weekdays.weekday_number = 1
    inner join numbered_hours
        on timed_customers.customer_id = numbered_hours.customer_id and numbered_hours.hour_number = 1
    where timed_customers.answer_count >= limits.minimum_timed_answers

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        numbered_statements.channel as stated_channel,

        numbered_channels.channel as answering_channel,
        cast(numbered_channels.preference_contacts as bigint) as answering_channel_contacts,
        cast(numbered_channels.preference_answered as bigint) as answering_channel_answers,

        cast(coalesce(timed_customers.answer_count, 0) as bigint) as timed_answers,
        cast(best_times.best_weekday as integer) as best_weekday,
        cast(best_times.best_hour as integer) as best_hour
    from customers
    left join numbered_statements
        on customers.customer_id = numbered_statements.customer_id and numbered_statements.statement_number = 1
    left join numbered_channels
        on customers.customer_id = numbered_channels.customer_id and numbered_channels.channel_number = 1
    left join timed_customers on customers.customer_id = timed_customers.customer_id
    left join best_times on customers.customer_id = best_times.customer_id

)

select * from final
