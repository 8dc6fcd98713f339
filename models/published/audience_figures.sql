-- What on_demand.audience_explanations reads: served, so that BI tools can ask why somebody is in an audience.
with final as (

    select * from {{ ref('audience_facts') }}

)

select * from final -- noqa: AM04
