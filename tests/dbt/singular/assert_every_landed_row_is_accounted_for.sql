-- No landed row may be lost: an analyst must be able to trace every row of a source file to where it went.
-- Counts what lies in landing, what staging says became of it, and what models and the quarantine list really hold.
-- A customer known only by rows in quarantine stands in stg_customers beyond the rows used.
with

counted as (
    {%- for table in raw_tables() %}
    select
        cast('{{ table }}' as string) as table_name,
        (select count(*) from {{ source('landing', table) }}) as rows_landed,
        {% if table == 'customers' -%}
        (select count(*) from {{ ref('stg_customers') }}) - (
            select count(*) from {{ ref('base_customers') }}
            where is_current and row_status = 'quarantined'
        ) as rows_in_model,
        {%- else -%}
        (select count(*) from {{ ref('stg_' ~ table) }}) as rows_in_model,
        {%- endif %}
        (select count(*) from {{ ref('quarantine') }} where table_name = '{{ table }}') as rows_in_quarantine
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (
    select
        counted.*,
        reconciled.rows_in,
        reconciled.rows_used,
        reconciled.rows_superseded,
        reconciled.rows_quarantined
    from counted
    left join {{ ref('row_reconciliation') }} as reconciled on counted.table_name = reconciled.table_name
    where
        counted.rows_landed is distinct from reconciled.rows_in
        or reconciled.rows_in is distinct from reconciled.rows_used + reconciled.rows_superseded + reconciled.rows_quarantined
        or counted.rows_in_model is distinct from reconciled.rows_used
        or counted.rows_in_quarantine is distinct from reconciled.rows_quarantined
)

select * from final
