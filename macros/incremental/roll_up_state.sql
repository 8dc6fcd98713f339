{#-
    What the roll-ups of the working database stand at, in one row of operations.roll_up_state:

    run_number          number of the last dbt run that was begun; every row a run writes into a base table carries it (`written_in_run`)
    settled_run         the last run after which every roll-up was complete; 0 before the first
    earliest_as_of_date,
    latest_as_of_date   the days that roll-ups may stand at: one and the same day once a run has settled, and the whole range from there to the
                        day asked for while a run is under way or after one that broke off

    So whatever happened in between (nights missed, a run that broke off, days gone back to), the next run finds in this row which
    rows and which days its roll-ups have not seen. `begin_run` and `settle_run` are hooks of every dbt run and build.
    On Spark roll-ups are written whole, and there is no state.
-#}
{% macro roll_up_state_relation() -%}
    {{ return(api.Relation.create(database=target.database, schema='operations', identifier='roll_up_state')) }}
{%- endmacro %}

{#- on-run-start: number this run, and widen the range of days to the one asked for. -#}
{% macro begin_run() -%}
    {%- if execute and flags.WHICH in ('build', 'run') and target.type != 'spark' -%}
        {%- set state = roll_up_state_relation() -%}
        create schema if not exists {{ state.without_identifier() }};
        create table if not exists {{ state }} (
            run_number bigint, settled_run bigint, earliest_as_of_date date, latest_as_of_date date
        );
        insert into {{ state }}
        select 0, 0, null, null
        where not exists (select 1 from {{ state }});
        update {{ state }} set
            run_number = run_number + 1,
            earliest_as_of_date = least(earliest_as_of_date, {{ as_of_date() }}),
            latest_as_of_date = greatest(latest_as_of_date, {{ as_of_date() }});
    {%- endif -%}
{%- endmacro %}

{#-
    on-run-end: when every roll-up was written by this run, the state is settled on its day. A run of a part of the project, or one that
    broke off, leaves it open, and the next whole run makes up for it.

    results: what dbt hands to an on-run-end hook.
-#}
{% macro settle_run(results) -%}
    {%- if execute and flags.WHICH in ('build', 'run') and target.type != 'spark' -%}
        {%- set written = results | selectattr('status', 'equalto', 'success') | map(attribute='node.unique_id') | list -%}
        {%- set waiting = [] -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and 'roll_up' in node.tags and node.unique_id not in written -%}
            {%- do waiting.append(node.unique_id) -%}
        {%- endfor -%}
        {%- if not waiting -%}
            update {{ roll_up_state_relation() }} set
                settled_run = run_number,
                earliest_as_of_date = {{ as_of_date() }},
                latest_as_of_date = {{ as_of_date() }};
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The state as a dictionary; of a working database without one: run 0, nothing settled, no days. -#}
{% macro roll_up_state() -%}
    {%- set nothing = {'run_number': 0, 'settled_run': 0, 'earliest_as_of_date': none, 'latest_as_of_date': none} -%}
    {%- if not execute or target.type == 'spark' -%}
        {{ return(nothing) }}
    {%- endif -%}
    {%- set wanted = roll_up_state_relation() -%}
    {%- if load_relation(wanted) is none -%}
        {{ return(nothing) }}
    {%- endif -%}
    {%- set rows = run_query('select run_number, settled_run, earliest_as_of_date, latest_as_of_date from ' ~ wanted).rows -%}
    {%- if not rows -%}
        {{ return(nothing) }}
    {%- endif -%}
    {{ return({
        'run_number': rows[0][0] | int,
        'settled_run': rows[0][1] | int,
        'earliest_as_of_date': rows[0][2],
        'latest_as_of_date': rows[0][3],
    }) }}
{%- endmacro %}

{#-
    Whether this run only makes up for what changed: a run has settled the roll-ups before. False in a full refresh, in unit tests (which
    describe the whole rule), on Spark, and while dbt parses.
-#}
{% macro run_refreshes() -%}
    {%- if not execute or flags.WHICH not in ('build', 'run') or flags.FULL_REFRESH or target.type == 'spark' -%}
        {{ return(false) }}
    {%- endif -%}
    {{ return(roll_up_state()['settled_run'] > 0) }}
{%- endmacro %}

{#- Whether the model at hand is only refreshed: the run makes up for what changed, and the table is there. -#}
{% macro is_refresh() -%}
    {{ return(run_refreshes() and is_incremental()) }}
{%- endmacro %}
