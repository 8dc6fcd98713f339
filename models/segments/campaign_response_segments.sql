with response as (

    select * from {{ ref('customer_response_features') }}

),

rules as (

    select * from {{ ref('campaign_response_rules') }}

),

-- An empty cell of the rule table asks nothing; a figure that the customer does not have meets no bound.
-- The first matching rule names the segment.
named as (

    select
        response.customer_id,
        min_by(rules.segment, rules.priority) as segment
    from response
    inner join rules
        on
            (rules.requires_unsubscribed is null or response.is_unsubscribed = rules.requires_unsubscribed)
            and (rules.maximum_contacts is null or response.contact_count <= rules.maximum_contacts)
            and (rules.minimum_window_contacts is null or response.window_contacts >= rules.minimum_window_contacts)
            and (rules.minimum_recent_contacts is null or response.recent_contacts >= rules.minimum_recent_contacts)
            and (rules.minimum_previous_answers is null or response.previous_answered >= rules.minimum_previous_answers)
            and (rules.maximum_answer_rate_change is null or response.answer_rate_change <= rules.maximum_answer_rate_change)
            and (rules.maximum_recent_answer_rate is null or response.recent_answer_rate <= rules.maximum_recent_answer_rate)
            and (rules.minimum_responses is null or response.window_responses >= rules.minimum_responses)
            and (rules.minimum_answer_rate is null or response.answer_rate >= rules.minimum_answer_rate)
    group by response.customer_id

),

final as (

    select
        response.customer_id,
        response.as_of_date,
        named.segment,
        response.contact_count,
        response.window_contacts,
        response.window_answered,
        response.window_responses,
        response.answer_rate,
        response.recent_contacts,
        response.recent_answer_rate,
        response.answer_rate_change,
        response.is_unsubscribed
    from response
    left join named on response.customer_id = named.customer_id

)

select * from final
