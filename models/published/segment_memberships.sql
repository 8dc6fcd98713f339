-- Where the last change led: the interval of the history that has not ended.
with history as (

    select * from {{ ref('segment_membership_history') }}

),

final as (

    select
        customer_id,
        segmentation,
        segment,
        {{ as_of_date() }} as as_of_date,
        valid_from as member_since
    from history
    where valid_to is null

)

select * from final
