{{ config(materialized='table') }}

{% for table in raw_tables() %}
select
    cast('{{ table }}' as string) as table_name,
    count(*) as rows_in,
    count(*) filter (where row_status = 'used') as rows_used,
    count(*) filter (where row_status = 'superseded') as rows_superseded,
    count(*) filter (where row_status = 'quarantined') as rows_quarantined
from {{ ref('base_' ~ table) }}
{{ 'union all' if not loop.last }}
{% endfor %}
