-- Permissions and their changes. Grain: one row per change.
create or replace table clean_consents as
with signed_up as (
    select
        people.n,
        people.customer_id,
        people.contact_preference,
        permissions.* exclude (n, contact_preference),
        midnight_of(people.signed_up_day) + to_seconds(21600 + draw_below('sign-up time', people.n, 0, 3600)) as signed_up_at
    from people
    inner join permissions using (n)
),

channels as (
    select *, unnest(['email', 'sms', 'push', 'post']) as channel
    from signed_up
),

special_answers as (
    select n, min(answered_at) as first_answered_at
    from clean_survey_answers
    where question in ('political_opinion', 'social_ideology', 'cultural_attitude')
    group by n
),

changes as (
    select n, customer_id, 'marketing' as purpose, channel, true as is_granted, signed_up_at as changed_at
    from channels
    where list_contains(granted_channels, channel)
    union all
    -- Half of the refusals are written down, the others are merely absent.
    select n, customer_id, 'marketing', channel, false, signed_up_at
    from channels
    where not list_contains(granted_channels, channel) and draw('refusal ' || channel, n, 0) < 0.5
    union all
    select chosen.n, people.customer_id, 'marketing', 'any', false, chosen.unsubscribed_at
    from chosen
    inner join people using (n)
    where chosen.unsubscribed_at is not null
    union all
    select n, customer_id, 'profiling', 'any', allows_profiling, signed_up_at
    from signed_up
    union all
    select n, customer_id, 'profiling', 'any', false, signed_up_at + to_days(30 + draw_below('profiling', n, 2, 200))
    from signed_up
    where allows_profiling and withdraws_profiling
    union all
    -- Asked for with the first answer that needs it; without it the answer is there and may not be used.
    select signed_up.n, customer_id, 'special_category', 'any', true, special_answers.first_answered_at - interval 30 seconds
    from signed_up
    inner join special_answers using (n)
    where granted_special_category
    union all
    select
        signed_up.n, customer_id, 'special_category', 'any', false,
        special_answers.first_answered_at
        + to_seconds(draw_below('withdrawal', n, 0, epoch(getvariable('end_at') - special_answers.first_answered_at)))
    from signed_up
    inner join special_answers using (n)
    where withdrew_special_category
)

select *
from changes
where changed_at < getvariable('end_at');
