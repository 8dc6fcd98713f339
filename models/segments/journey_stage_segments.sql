with journey as (

    select * from {{ ref('customer_journey_features') }}

),

orders as (

    select * from {{ ref('customer_order_features') }}

),

rhythm as (

    select * from {{ ref('customer_rhythm_features') }}

),

rules as (

    select * from {{ ref('journey_stage_rules') }}

),

measured as (

    select
        journey.customer_id,
        journey.as_of_date,
        rhythm.purchase_days,
        orders.recency_days,
        journey.long_gap_days,
        journey.is_silence_long,
        journey.days_since_comeback,
        journey.web_days,
        journey.days_since_abandoned_cart,
        journey.days_since_unreturned_reply
    from journey
    inner join orders on journey.customer_id = orders.customer_id
    inner join rhythm on journey.customer_id = rhythm.customer_id

),

-- An empty cell of the rule table asks nothing; a figure that the customer does not have meets no bound.
-- The first matching rule names the stage.
named as (

    select
        measured.customer_id,
        min_by(rules.segment, rules.priority) as segment
    from measured
    inner join rules
        on
            (rules.minimum_purchase_days is null or measured.purchase_days >= rules.minimum_purchase_days)
            and (rules.minimum_web_days is null or measured.web_days >= rules.minimum_web_days)
            and (rules.requires_long_silence is null or measured.is_silence_long = rules.requires_long_silence)
            and (
                rules.maximum_days_since_unreturned_reply is null
                or measured.days_since_unreturned_reply <= rules.maximum_days_since_unreturned_reply
            )
            and (
                rules.maximum_days_since_abandoned_cart is null
                or measured.days_since_abandoned_cart <= rules.maximum_days_since_abandoned_cart
            )
            and (
                rules.maximum_days_since_comeback is null
                or measured.days_since_comeback <= rules.maximum_days_since_comeback
            )
    group by measured.customer_id

),

final as (

    select
        measured.customer_id,
        measured.as_of_date,
        named.segment,
        measured.purchase_days,
        measured.recency_days,
        measured.long_gap_days,
        measured.days_since_comeback,
        measured.web_days,
        measured.days_since_abandoned_cart,
        measured.days_since_unreturned_reply
    from measured
    left join named on measured.customer_id = named.customer_id

)

select * from final
