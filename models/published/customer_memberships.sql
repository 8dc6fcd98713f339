with current_memberships as (

    select * from {{ ref('current_memberships') }}

),

final as (

    select
        current_memberships.customer_id,
        current_memberships.as_of_date,
        {{ membership_columns('current_memberships') }}
    from current_memberships

)

select * from final
