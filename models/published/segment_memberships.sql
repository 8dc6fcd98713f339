-- Served as a view too: customer_memberships with a row for each segmentation.
with memberships as (

    {{ memberships('customer_memberships') }}

),

final as (

    select
        customer_id,
        segmentation,
        segment,
        as_of_date,
        since as member_since
    from memberships

)

select * from final
