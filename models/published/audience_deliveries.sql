with deliveries as (

    select * from {{ ref('stg_audience_deliveries') }}

),

final as (

    select
        delivery_id,
        audience_id,
        build_id,
        as_of_date,
        destination,
        format,
        status,
        members,
        previous,
        added,
        removed,
        since_delivery_id,
        started_at,
        finished_at,
        failure
    from deliveries

)

select * from final
