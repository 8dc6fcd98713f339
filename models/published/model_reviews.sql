with final as (

    select
        as_of_date,
        model,
        reason,
        since,
        observed,
        at_most,
        parameters_of,
        meaning,
        what_to_do,
        owner
    from {{ ref('model_reviews_open') }}

)

select * from final
