{#-
    Whether this run stages new batches only and leaves the rows that stand. False for a table that is not there yet, in a full refresh, on Spark,
    while dbt parses, and wherever a model is compiled without being run (unit tests and the linter see the whole rule).
    It asks nothing but the table itself: what it holds says what it has not seen, however the runs before went.
-#}
{% macro stages_only_what_is_new() -%}
    {{ return(flags.WHICH in ('build', 'run') and target.type != 'spark' and is_incremental()) }}
{%- endmacro %}

{#-
    A CTE `judged`: the rows of `typed` with the reason, if any, why they cannot be used. In a run that stages only what is new `typed` has the
    new rows, and `judged` also the earlier rows whose fate is open with them. What became of an earlier row changes in two ways only:
    - its customer was unknown and now is not, so that it can be used (`newly_known`);
    - another row of its key came, or can be used now, so that it may no longer be the one that stands for the key.
    Of the earlier rows of a key only the one that stands can change in the second way: what it has superseded stays superseded.
    `stood` is true for these.

    Arguments as in `staged_rows`, and
    decided: the names of the columns that are decided after judging, beyond those of every base table.
    stands: a condition, true for the one row of a key that stands for it.
-#}
{% macro judged_rows(key, required, impossible={}, customer=none, decided=[], stands="row_status = 'used'") -%}
{%- if not stages_only_what_is_new() -%}
judged as {{ inlined() }} (
    select
        typed.*,
        {{ quarantine_reason(required, impossible, customer=customer is not none) }} as quarantine_reason
    from typed
    {%- if customer %}
    left join known_customers on typed.{{ customer }} = known_customers.known_customer_id
    {%- endif %}
)
{%- else -%}
{%- if customer -%}
waiting_rows as {{ inlined() }} (
    select * from {{ this }}
    where quarantine_reason = 'unknown customer'
),

-- Few, so that customers are read once and not by every CTE that asks for them.
customers_asked_for as materialized (
    select known_customer_id
    from known_customers
    where known_customer_id in (
        select {{ customer }} from typed
        union all
        select {{ customer }} from waiting_rows
    )
),

newly_known as materialized (
    select waiting_rows.* replace (cast(null as string) as quarantine_reason)
    from waiting_rows
    inner join customers_asked_for on waiting_rows.{{ customer }} = customers_asked_for.known_customer_id
),

{% endif -%}
open_keys as (
    select distinct {{ key | join(', ') }} from typed
    {%- if customer %}
    union
    select {{ key | join(', ') }} from newly_known
    {%- endif %}
),

earlier_rows as materialized (
    select
        standing.*,
        true as stood
    from {{ this }} as standing
    inner join open_keys on {{ same_key('standing', 'open_keys', key) }}
    where {{ stands }}
    {%- if customer %}
    union all
    select
        newly_known.*,
        false as stood
    from newly_known
    {%- endif %}
),

judged as {{ inlined() }} (
    select
        typed.*,
        {{ quarantine_reason(required, impossible, customer=customer is not none) }} as quarantine_reason,
        false as stood
    from typed
    {%- if customer %}
    left join customers_asked_for on typed.{{ customer }} = customers_asked_for.known_customer_id
    {%- endif %}
    union all by name
    select * exclude ({{ (['row_status', 'written_in_run'] + decided) | join(', ') }})
    from earlier_rows
)
{%- endif -%}
{%- endmacro %}

{#-
    The last CTE of a base table, `final`: the settled rows that are written. A run that stages only what is new leaves a row alone that stood for
    its key and still does, so that `written_in_run` marks the rows that came or changed, and no others.

    stands: a condition, true for the one row of a key that stands for it.
-#}
{% macro rows_to_write(stands="row_status = 'used'") -%}
{%- if not stages_only_what_is_new() -%}
final as (
    select * from settled
)
{%- else -%}
final as (
    select * exclude (stood)
    from settled
    where not (stood and {{ stands }})
)
{%- endif -%}
{%- endmacro %}
