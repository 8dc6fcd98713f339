{{ config(pre_hook="{{ ensure_source_table('operations', 'audience_deliveries') }}") }}

with deliveries as (

    select * from {{ source('operations', 'audience_deliveries') }}

),

final as (

    select
        cast(delivery_id as {{ dbt.type_string() }}) as delivery_id,
        cast(audience_id as {{ dbt.type_string() }}) as audience_id,
        cast(build_id as {{ dbt.type_string() }}) as build_id,
        cast(as_of_date as date) as as_of_date,
        cast(destination as {{ dbt.type_string() }}) as destination,
        cast(format as {{ dbt.type_string() }}) as format, -- noqa: RF04
        cast(status as {{ dbt.type_string() }}) as status,
        cast(members as bigint) as members,
        cast(previous as bigint) as previous,
        cast(added as bigint) as added,
        cast(removed as bigint) as removed,
        cast(since_delivery_id as {{ dbt.type_string() }}) as since_delivery_id,
        cast(started_at as timestamp) as started_at,
        cast(finished_at as timestamp) as finished_at,
        cast(failure as {{ dbt.type_string() }}) as failure
    from deliveries

)

select * from final
