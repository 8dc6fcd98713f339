with features as (

    select * from {{ ref('customer_needs_features') }}

),

limits as (

    select
        {{ threshold('needs_minimum_tickets') }} as minimum_tickets,
        {{ threshold('needs_minimum_lift') }} as minimum_lift

),

-- What customers say themselves comes first, then what they turn to us about, then what they buy.
-- Tickets decide when there are enough of them and more than half of those that name a need name the same one.
evidenced as (

    select
        features.*,
        case
            when features.stated_need is not null then 'stated'
            when
                features.ticket_need_tickets >= limits.minimum_tickets
                and 2 * features.ticket_need_tickets > features.tickets_about_needs
                then 'tickets'
            when features.purchase_need_lift >= limits.minimum_lift then 'purchases'
            else 'none'
        end as need_evidence
    from features
    cross join limits

),

final as (

    select
        customer_id,
        as_of_date,
        case need_evidence
            when 'stated' then stated_need
            when 'tickets' then ticket_need
            when 'purchases' then purchase_need
            else 'unknown'
        end as segment,
        need_evidence,
        ticket_need_tickets,
        purchase_need_lift
    from evidenced

)

select * from final
