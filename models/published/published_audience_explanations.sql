-- Served on demand: asked for one customer and audience it reads a few columns of one row.
{{ config(alias='audience_explanations') }}

with figures as (

    select * from {{ ref('audience_figures') }}

),

final as (

    {{ audience_explanation_rows('figures') }}

)

select * from final
