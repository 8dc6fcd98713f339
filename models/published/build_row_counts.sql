with standing as (

    {{ standing_builds() }}

),

row_counts as (

    select * from {{ ref('stg_build_row_counts') }}

),

final as (

    select
        row_counts.build_id,
        row_counts.table_name,
        row_counts.rows_in,
        row_counts.rows_used,
        row_counts.rows_superseded,
        row_counts.rows_quarantined
    from row_counts
    inner join standing on row_counts.build_id = standing.build_id

)

select * from final
