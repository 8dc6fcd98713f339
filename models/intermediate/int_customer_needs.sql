-- What each source of evidence says about a customer's needs, counted; which source wins is decided later.
with answers as (

    select * from {{ ref('int_customer_traits') }}
    where trait_family = 'need'

),

tickets as (

    select * from {{ ref('stg_support_tickets') }}

),

topic_needs as (

    select * from {{ ref('ticket_topic_needs') }}
    where need <> 'none'

),

need_lines as (

    select * from {{ ref('int_customer_need_lines') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

limits as (

    select cast({{ threshold('needs_ticket_window_days') }} as integer) as ticket_window_days

),

stated as (

    select
        customer_id,
        'stated' as evidence,
        trait as need,
        count(*) as times,
        max(answered_at) as last_at
    from answers
    group by customer_id, trait

),

asked as (

    select
        tickets.customer_id,
        'tickets' as evidence,
        topic_needs.need,
        count(*) as times,
        max(tickets.opened_at) as last_at
    from tickets
    cross join limits
    inner join customers on tickets.customer_id = customers.customer_id
    inner join topic_needs on {{ normalised('tickets.topic') }} = topic_needs.topic
    where
        tickets.opened_date < {{ as_of_date() }}
        and tickets.opened_date >= {{ days_before(as_of_date(), 'limits.ticket_window_days') }}
    group by tickets.customer_id, topic_needs.need

),

-- One row per customer and need, and one (need null) for everything that implies none: together all that was bought in the window.
bought as (

    select
        need_lines.customer_id,
        'purchases' as evidence,
        need_lines.need,
        need_lines.purchase_lines as times,
        need_lines.last_ordered_at as last_at
    from need_lines
    inner join customers on need_lines.customer_id = customers.customer_id

),

final as (

    select * from stated
    union all
    select * from asked
    union all
    select * from bought

)

select * from final
