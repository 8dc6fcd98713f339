-- A table that is mostly in quarantine was not dirty but misread (a date format, a sign, a missing file of customers):
-- publishing segments of the rest would mislead everybody who reads them. Tables of a few rows say nothing and pass.
-- A row whose key has come soundly since is mended and does not count; one without a readable key cannot be told and does.
-- To mend it: look at `quarantine`, correct the source or its mapping, land it again. A source that is truly so dirty
-- overrides the dbt variable `maximum_quarantined_share`.
-- Only of tables that are over the limit with all their quarantined rows are these looked up.
{%- set quarantine = ref('quarantine') %}
{%- set limit = var('maximum_quarantined_share', 0.2) %}

with

suspected as (
    select
        table_name,
        rows_in
    from {{ ref('row_reconciliation') }}
    where
        rows_in >= 100
        and rows_quarantined > {{ limit }} * rows_in
),

not_mended as (
    {% for table in raw_tables() %}
    select
        suspected.table_name,
        suspected.rows_in,
        quarantined.quarantine_reason
    from {{ ref('base_' ~ table) }} as quarantined
    inner join suspected on suspected.table_name = '{{ table }}'
    left join {{ ref('base_' ~ table) }} as used
        on
            {{ same_key('quarantined', 'used', key_columns(table)) }}
            and used.row_status = 'used'
            and quarantined.loaded_at <= used.loaded_at
    where
        quarantined.row_status = 'quarantined'
        and used.batch is null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (
    select
        table_name,
        count(*) as rows_quarantined,
        max(rows_in) as rows_in,
        mode(quarantine_reason) as most_frequent_reason,
        '{{ quarantine.schema }}.{{ quarantine.identifier }}' as listed_in
    from not_mended
    group by table_name
    having count(*) > {{ limit }} * max(rows_in)
)

select * from final
