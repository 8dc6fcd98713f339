with final as (

    select * from {{ ref('current_profiles') }}

)

select * from final
