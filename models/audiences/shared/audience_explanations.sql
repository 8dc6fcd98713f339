-- Why each customer is in each audience, or is not. A view: asked for one customer and audience it reads a few columns of one row,
-- and customers × conditions are never written anywhere.
{{ config(materialized='view') }}

with facts as (

    select * from {{ ref('audience_facts') }}

),

final as (
{%- if execute %}
    {%- set definitions = audience_definitions() %}
    {%- for name in definitions %}
    {{ audience_explanation_query(name, definitions, 'facts') }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
{%- endif %}

)

select * from final
