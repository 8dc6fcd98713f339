{{ config(pre_hook="{{ ensure_source_table('operations', 'build_row_counts') }}") }}

with build_row_counts as (

    select * from {{ source('operations', 'build_row_counts') }}

),

final as (

    select
        cast(build_id as {{ dbt.type_string() }}) as build_id,
        cast(table_name as {{ dbt.type_string() }}) as table_name,
        cast(rows_in as bigint) as rows_in,
        cast(rows_used as bigint) as rows_used,
        cast(rows_superseded as bigint) as rows_superseded,
        cast(rows_quarantined as bigint) as rows_quarantined
    from build_row_counts

)

select * from final
