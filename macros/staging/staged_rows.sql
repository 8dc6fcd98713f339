{#-
    The CTEs of a base table between `typed` and its last line: each row is judged, the versions of a key are numbered, and the
    columns that follow from both are added.

    key: the names of the key's columns. Nulls equal each other.
    required, impossible: see `quarantine_reason`.
    customer: the name of the column of the customer who must exist, if any; the CTE `known_customers` is there.
    of_equal_age: see `row_versions`.
    dates: {name of a date: name of the timestamp whose business day it is}; rows in quarantine have none.
-#}
{% macro staged_rows(key, required, impossible={}, customer=none, dates={}, of_equal_age=[]) -%}
{{ judged_rows(key, required, impossible, customer, decided=dates.keys() | list) }},

{{ row_versions(key, of_equal_age) }},

settled as (
    select
        judged.*,
        {%- for date, timestamp in dates.items() %}
        case when judged.quarantine_reason is null then {{ business_date('judged.' ~ timestamp) }} end as {{ date }},
        {%- endfor %}
        {{ row_status() }} as row_status,
        {{ written_in_run() }}
    from judged
    left join row_versions on judged.batch = row_versions.batch and judged.source_row = row_versions.source_row
),

{{ rows_to_write() }}
{%- endmacro %}

{#- The number of the run that writes the row, as the last column of a base table: so a roll-up finds the rows it has not seen yet. -#}
{% macro written_in_run() -%}
    cast({{ roll_up_state()['run_number'] }} as bigint) as written_in_run
{%- endmacro %}
