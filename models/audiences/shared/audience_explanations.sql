-- Why each customer is in each audience, or is not. A view: asked for one customer and audience it reads a few columns of one row,
-- and customers × conditions are never written anywhere.
{{ config(materialized='view') }}

with facts as (

    select * from {{ ref('audience_facts') }}

),

final as (

    {{ audience_explanation_rows('facts') }}

)

select * from final
