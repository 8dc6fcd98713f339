{{ config(materialized='table') }}

{% for table in raw_tables() %}
select
    cast('{{ table }}' as string) as table_name,
    quarantine_reason,
    source_file,
    source_row,
    batch,
    loaded_at,
    coalesce(row_as_it_came, {{ row_as_json(contract_columns(table)) }}) as row_as_it_came
from {{ ref('base_' ~ table) }}
where row_status = 'quarantined'
{{ 'union all' if not loop.last }}
{% endfor %}
