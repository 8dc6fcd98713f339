-- Counts only: the rows themselves hold whatever was landed, names and addresses too, and stay in the working database.
with quarantine as (

    select * from {{ ref('quarantine') }}

),

final as (

    select
        table_name,
        quarantine_reason,
        source_file,
        count(*) as quarantined_rows
    from quarantine
    group by table_name, quarantine_reason, source_file

)

select * from final
