-- What the conditions of all audiences leave, counted in one pass over the facts.
with facts as (

    select * from {{ ref('audience_facts') }}

),

final as (
    {%- if execute %}
    {{ audience_funnel_counts_query('facts', audience_definitions()) }}
    {%- endif %}

)

select * from final
