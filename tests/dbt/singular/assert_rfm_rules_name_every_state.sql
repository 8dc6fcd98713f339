-- Why: the rules are data and people change them. Whatever three scores a customer has, a rule must name them,
-- or the customer falls out of the segmentation on the day somebody first has those scores.
with scores as (

    select 1 as score
    union all
    select 2
    union all
    select 3
    union all
    select 4
    union all
    select 5

),

states as (

    select
        recency.score as recency_score,
        frequency.score as frequency_score,
        monetary.score as monetary_score
    from scores as recency
    cross join scores as frequency
    cross join scores as monetary

)

select states.*
from states
left join {{ ref('rfm_rules') }} as rules
    on
        states.recency_score between rules.recency_min and rules.recency_max
        and states.frequency_score between rules.frequency_min and rules.frequency_max
        and states.monetary_score between rules.monetary_min and rules.monetary_max
where rules.segment is null
