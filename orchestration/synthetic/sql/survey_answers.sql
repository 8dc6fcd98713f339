-- What customers say about themselves. Grain: one row per customer, question and time of the answer.
create or replace table clean_survey_answers as
with respondents as (
    select
        people.*,
        permissions.answers_surveys,
        permissions.answers_special_questions,
        permissions.granted_special_category,
        greatest(people.signed_up_day, 0) as first_day
    from people
    inner join permissions using (n)
),

-- The options of a question on attitude, one per planted group.
trait_options as (
    select
        *,
        row_number() over (partition by question order by answer) - 1 as option_number,
        count(*) over (partition by question) as options
    from survey_traits
),

-- Every attitude question that is answered, and by which group's answer: mostly the customer's own.
attitudes as (
    select
        respondents.n,
        own.question,
        if(draw('faithful ' || own.question, n, 0) < parameter('faithful_answer_share'), own.answer, other.answer) as answer,
        'survey' as origin
    from respondents
    inner join trait_options as own on own.trait in (respondents.psychographic_group, respondents.socio_cultural_group)
    inner join trait_options as other
        on own.question = other.question and other.option_number = draw_below('any ' || own.question, n, 0, own.options)
    where draw('answered ' || own.question, n, 0) < parameter('answered_question_share')
        and if(own.trait = respondents.psychographic_group, respondents.answers_surveys, respondents.answers_special_questions)
),

facts as (
    select
        respondents.*,
        unnest([
            'preferred_contact_channel', 'main_need', 'recommendation_score', 'satisfaction',
            'recycled_clothes', 'clothing_size', 'pets_at_home'
        ]) as question
    from respondents
),

factual as (
    select
        n,
        question,
        case question
            when 'preferred_contact_channel' then contact_preference
            when 'main_need' then need
            -- 9 and 10 promote, 7 and 8 are passive, 0 to 6 detract.
            when 'recommendation_score' then cast(
                case
                    when advocacy in ('ambassador', 'promoter') then 9 + draw_below('score', n, 0, 2)
                    when advocacy = 'passive' then 7 + draw_below('score', n, 0, 2)
                    else draw_below('score', n, 0, 7)
                end as varchar
            )
            when 'satisfaction' then cast(
                case
                    when advocacy in ('ambassador', 'promoter') then 4 + draw_below('satisfaction', n, 0, 2)
                    when advocacy = 'passive' then 3 + draw_below('satisfaction', n, 0, 2)
                    else 1 + draw_below('satisfaction', n, 0, 2)
                end as varchar
            )
            when 'recycled_clothes'
                then if(
                    psychographic_group = 'sustainable' and draw('recycled', n, 0) < parameter('faithful_answer_share'),
                    'likes',
                    pick('recycled_clothes', draw('recycled', n, 1))
                )
            when 'clothing_size' then pick('clothing_size', draw('clothing size', n, 0))
            when 'pets_at_home'
                then if(category_affinity = 'pets', if(draw('pets', n, 0) < 0.5, 'dog', 'cat'), pick('pets_at_home', draw('pets', n, 1)))
        end as answer,
        if(question in ('preferred_contact_channel', 'main_need'), 'sign_up', 'survey') as origin
    from facts
    where case
        when question = 'preferred_contact_channel' then draw('stated contact', n, 0) < parameter('stated_contact_preference_share') * 0.6
        when question = 'recommendation_score' then advocacy != 'unknown'
        when question = 'satisfaction'
            then advocacy != 'unknown' and draw('answered ' || question, n, 0) < parameter('answered_question_share')
        else answers_surveys and draw('answered ' || question, n, 0) < parameter('answered_question_share')
    end
),

answers as (
    select *, 0 as round from attitudes
    union all
    select *, 0 from factual
    union all
    -- Some are asked again and say the same.
    select n, question, answer, 'survey', 1 from factual
    where draw('asked again ' || question, n, 0) < 0.1
),

dated as (
    select
        answers.*,
        respondents.customer_id,
        respondents.country,
        if(
            origin = 'sign_up',
            first_day,
            first_day + draw_below('answer day ' || question, n, round, (getvariable('window_days') - first_day))
        ) as day_number
    from answers
    inner join respondents using (n)
),

final as (
    select
        dated.n,
        dated.customer_id,
        dated.question,
        dated.answer,
        utc_time(
            dated.day_number, 36000 + draw_below('answer time ' || question, n, round, 36000), calendar.utc_offset_seconds
        ) as answered_at,
        dated.origin
    from dated
    inner join calendar on dated.country = calendar.country and dated.day_number = calendar.day_number
)

select *
from final
where answered_at < getvariable('end_at');
