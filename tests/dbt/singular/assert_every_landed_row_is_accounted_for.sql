-- No landed row may be lost: an analyst must be able to trace every row of a source file to where it went.
-- Counts what lies in landing, what staging says became of it, and what models and the quarantine list really hold.
-- Customers known only by rows in quarantine stand in stg_customers beyond the rows used.
with

landed as (
    {% for table in raw_tables() %}
    select
        '{{ table }}' as table_name,
        count(*) as rows_landed
    from ({{ landed_rows(source('landing', table)) }}) as known
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

modelled as (
    {% for table in raw_tables() %}
    select
        '{{ table }}' as table_name,
        count(*) as rows_in_model
    from {{ ref('stg_' ~ table) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

kept_from_quarantine as (
    select
        'customers' as table_name,
        count(*) as customers_kept
    from {{ ref('base_customers') }}
    where is_current and row_status = 'quarantined'
),

listed as (
    select
        table_name,
        count(*) as rows_listed
    from {{ ref('quarantine') }}
    group by table_name
),

final as (
    select
        landed.table_name,
        landed.rows_landed,
        reconciled.rows_in,
        reconciled.rows_used,
        reconciled.rows_superseded,
        reconciled.rows_quarantined,
        modelled.rows_in_model - coalesce(kept_from_quarantine.customers_kept, 0) as rows_in_model,
        coalesce(listed.rows_listed, 0) as rows_listed
    from landed
    inner join modelled on landed.table_name = modelled.table_name
    left join kept_from_quarantine on landed.table_name = kept_from_quarantine.table_name
    left join listed on landed.table_name = listed.table_name
    left join {{ ref('row_reconciliation') }} as reconciled on landed.table_name = reconciled.table_name
)

select * from final
where
    rows_landed is distinct from rows_in
    or rows_in is distinct from rows_used + rows_superseded + rows_quarantined
    or rows_in_model is distinct from rows_used
    or rows_listed is distinct from rows_quarantined
