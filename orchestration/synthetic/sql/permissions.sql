-- What each customer allows. Grain: one row per customer of the bucket.
create or replace table permissions as
with grants as (
    select
        n,
        contact_preference,
        -- The preferred channel is always allowed, each other one mostly.
        [
            channel for channel in ['email', 'sms', 'push', 'post']
            if contact_preference != 'none'
            and (channel = contact_preference or draw('grant ' || channel, n, 0) < 0.8)
        ] as granted_channels,
        case
            when campaign_response = 'unsubscribed'
                then greatest(signed_up_day, 0)
                + draw_below('unsubscribe', n, 0, (getvariable('window_days') - greatest(signed_up_day, 0)))
        end as unsubscribes_from_day,
        draw('profiling', n, 0) < 0.85 as allows_profiling,
        draw('profiling', n, 1) < 0.03 as withdraws_profiling,
        draw('survey', n, 0) < parameter('survey_share') as answers_surveys,
        answers_surveys and draw('special answers', n, 0) < parameter('special_question_share') as answers_special_questions,
        answers_special_questions and draw('special consent', n, 0) < parameter('special_consent_share') as granted_special_category,
        granted_special_category and draw('special consent', n, 1) < parameter('special_withdrawn_share') as withdrew_special_category
    from people
)

select *
from grants;
