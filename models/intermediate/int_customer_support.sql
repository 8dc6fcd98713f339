{{ config_roll_up() }}

with tickets as (

    select * from {{ ref('stg_support_tickets') }}
    where
        opened_date < {{ as_of_date() }}
        and {{ is_refreshed() }}

),

limits as (

    select
        cast({{ threshold('advocacy_satisfaction_window_days') }} as integer) as satisfaction_window_days,
        cast({{ threshold('kpi_period_days') }} as integer) as period_days

),

-- What had happened by the morning of the day described: the newest version of a ticket may know more than that.
known as (

    select
        tickets.customer_id,
        tickets.opened_at,
        tickets.opened_date,
        case when tickets.first_reply_date < {{ as_of_date() }} then tickets.first_reply_at end as replied_at,
        case when tickets.first_reply_date < {{ as_of_date() }} then tickets.first_reply_date end as replied_date,
        case when tickets.customer_replied_date < {{ as_of_date() }} then tickets.customer_replied_at end as customer_replied_at,
        coalesce(tickets.closed_date < {{ as_of_date() }}, false) as is_closed,
        -- A score has no date of its own: it is given when a ticket closes.
        case
            when
                coalesce(tickets.closed_date, tickets.opened_date) >= {{ days_before(as_of_date(), 'limits.satisfaction_window_days') }}
                and coalesce(tickets.closed_date, tickets.opened_date) < {{ as_of_date() }}
                then tickets.satisfaction_score
        end as recent_score,
        -- The KPIs ask about the tickets of the period, whenever they were scored.
        case when tickets.opened_date >= {{ days_before(as_of_date(), 'limits.period_days') }} then tickets.satisfaction_score end as period_score
    from tickets
    cross join limits

),

final as (

    select
        known.customer_id,

        count(*) as ticket_count,
        count(*) filter (where known.opened_date >= {{ days_before(as_of_date(), 365) }}) as ticket_count_365d,
        count(*) filter (where known.replied_at is null and not known.is_closed) as unanswered_ticket_count,
        max(known.opened_date) as last_ticket_date,

        max(known.replied_at) as last_reply_at,
        max(known.replied_date) as last_reply_date,
        greatest(max(known.opened_at), max(known.customer_replied_at)) as last_customer_message_at,

        count(known.recent_score) as scored_ticket_count,
        {{ ratio('sum(known.recent_score)', 'count(known.recent_score)') }} as ticket_satisfaction,

        count(known.period_score) as period_satisfaction_answers,
        cast(sum(known.period_score) as decimal(18, 2)) as period_satisfaction_sum
    from known
    group by known.customer_id

)

select * from final
