with customers as (

    select * from {{ ref('int_customers') }}

),

referrals as (

    select * from {{ ref('int_customer_referrals') }}

),

support as (

    select * from {{ ref('int_customer_support') }}

),

survey_answers as (

    select * from {{ ref('int_survey_answers') }}

),

questions as (

    select * from {{ ref('advocacy_questions') }}

),

limits as (

    select cast({{ threshold('advocacy_answer_window_days') }} as integer) as window_days

),

-- An answer that is no number, or lies outside its scale, says nothing.
scored as (

    select
        survey_answers.customer_id,
        questions.kind,
        questions.question,
        survey_answers.answered_at,
        survey_answers.answered_date,
        try_cast(survey_answers.answer as decimal(18, 2)) as score,
        questions.promoter_from,
        questions.passive_from
    from survey_answers
    inner join questions on survey_answers.question = questions.question
    cross join limits
    where
        questions.kind in ('recommendation', 'satisfaction')
        and survey_answers.answered_date >= {{ days_before(as_of_date(), 'limits.window_days') }}
        and try_cast(survey_answers.answer as decimal(18, 2)) between questions.scale_minimum and questions.scale_maximum

),

numbered as (

    select
        *,
        row_number() over (
            partition by customer_id, kind
            order by answered_at desc, question asc
        ) as answer_number
    from scored

),

answered as (

    select
        customer_id,
        kind,
        answered_date,
        score,
        case
            when score >= promoter_from then 'promoter'
            when score >= passive_from then 'passive'
            else 'detractor'
        end as band
    from numbered
    where answer_number = 1

),

tickets as (

    select
        support.customer_id,
        support.scored_ticket_count,
        support.ticket_satisfaction,
        case
            when support.ticket_satisfaction >= questions.promoter_from then 'promoter'
            when support.ticket_satisfaction >= questions.passive_from then 'passive'
            else 'detractor'
        end as band
    from support
    inner join questions on questions.kind = 'ticket_satisfaction'
    where support.ticket_satisfaction between questions.scale_minimum and questions.scale_maximum

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        cast(coalesce(referrals.referrals_made, 0) as bigint) as referrals_made,
        cast(coalesce(referrals.referrals_kept, 0) as bigint) as referrals_kept,
        cast(coalesce(referrals.recent_referrals_made, 0) as bigint) as recent_referrals_made,
        cast(coalesce(referrals.recent_referrals_kept, 0) as bigint) as recent_referrals_kept,
        referrals.last_referral_date,

        recommendation.score as recommendation_score,
        recommendation.band as recommendation,
        recommendation.answered_date as recommendation_date,

        -- Asked about us as a whole first; the satisfaction with a ticket is about that ticket.
        satisfaction.score as satisfaction_score,
        cast(coalesce(tickets.scored_ticket_count, 0) as bigint) as scored_tickets,
        tickets.ticket_satisfaction,
        coalesce(satisfaction.band, tickets.band) as satisfaction
    from customers
    left join referrals on customers.customer_id = referrals.customer_id
    left join answered as recommendation
        on customers.customer_id = recommendation.customer_id and recommendation.kind = 'recommendation'
    left join answered as satisfaction
        on customers.customer_id = satisfaction.customer_id and satisfaction.kind = 'satisfaction'
    left join tickets on customers.customer_id = tickets.customer_id

)

select * from final
