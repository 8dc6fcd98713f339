with memberships as (

    {{ memberships() }}

),

final as (

    select
        customer_id,
        segmentation,
        segment,
        {{ as_of_date() }} as as_of_date,
        since as member_since
    from memberships

)

select * from final
