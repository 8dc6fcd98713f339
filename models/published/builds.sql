with standing as (

    {{ standing_builds() }}

),

row_counts as (

    select * from {{ ref('stg_build_row_counts') }}

),

totals as (

    select
        build_id,
        sum(rows_in) as rows_in,
        sum(rows_used) as rows_used,
        sum(rows_superseded) as rows_superseded,
        sum(rows_quarantined) as rows_quarantined
    from row_counts
    group by build_id

),

final as (

    select
        standing.build_id,
        standing.as_of_date,
        standing.source,
        standing.code_version,
        standing.status,
        standing.started_at,
        standing.finished_at,
        standing.as_known_at,
        cast(totals.rows_in as bigint) as rows_in,
        cast(totals.rows_used as bigint) as rows_used,
        cast(totals.rows_superseded as bigint) as rows_superseded,
        cast(totals.rows_quarantined as bigint) as rows_quarantined
    from standing
    left join totals on standing.build_id = totals.build_id

)

select * from final
