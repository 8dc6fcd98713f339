-- Served as a view too: nobody copies every membership of every customer to say where they are, and have been.
with ended_memberships as (

    select * from {{ ref('ended_memberships') }}

),

memberships as (

    {{ memberships('customer_memberships') }}

),

final as (

    select
        customer_id,
        segmentation,
        segment,
        valid_from,
        valid_to
    from ended_memberships
    union all
    select
        customer_id,
        segmentation,
        segment,
        since as valid_from,
        cast(null as date) as valid_to
    from memberships

)

select * from final
