{#-
    History tables are written a day at a time: a run replaces the days it writes and leaves the others.
    They are never rebuilt from nothing, because what was recorded on a past day cannot be had again.
-#}
{% macro configure_history() -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='insert_overwrite' if target.type == 'spark' else 'delete+insert',
        unique_key='as_of_date',
        partition_by=['as_of_date'] if target.type == 'spark' else none,
        full_refresh=false,
        on_schema_change='append_new_columns',
    ) }}
{%- endmacro %}

{#-
    pre-hook of every table of the history but recorded_days, which is written last: until then the day is not recorded, and a run that breaks
    off leaves a day that says so. No other way is left to tell it: each table is written in a transaction of its own.
-#}
{% macro begin_recording() -%}
    {%- if execute and target.type != 'spark' -%}
        {%- set recorded_days = as_left_behind('recorded_days').incorporate(type='table') -%}
        {%- if load_relation(recorded_days) is none -%}{%- do adapter.cache_added(recorded_days) -%}{%- endif -%}
        create table if not exists {{ recorded_days }} (as_of_date date, known_to timestamp, is_finished boolean);
        alter table {{ recorded_days }} add column if not exists is_finished boolean;
        delete from {{ recorded_days }} where as_of_date = {{ as_of_date() }};
        insert into {{ recorded_days }} (as_of_date, is_finished) values ({{ as_of_date() }}, false);
    {%- endif -%}
{%- endmacro %}

{#-
    pre-hook: a log from before it knew since when a segment had lasted learns it, once: it cannot be rebuilt.
-#}
{% macro complete_log() -%}
    {%- if execute and load_relation(this) is not none and 'segment_before_since' not in adapter.get_columns_in_relation(this) | map(attribute='name') -%}
        create or replace table {{ this }} as
        select
            as_of_date,
            customer_id,
            segmentation,
            segment_before,
            case
                when segment_before is not null then lag(as_of_date) over (partition by customer_id, segmentation order by as_of_date)
            end as segment_before_since,
            segment_after,
            cast(0 as bigint) as written_in_run
        from {{ this }}
    {%- endif -%}
{%- endmacro %}

{#-
    A table of the schema of the model at hand as the runs before have left it, for a model that comes before that table in the run and
    therefore cannot name it with ref.
-#}
{% macro as_left_behind(model) -%}
    {{ return(api.Relation.create(database=this.database, schema=this.schema, identifier=model)) }}
{%- endmacro %}

{#- The last recorded day before the day described, as a text; none before the first one and while dbt does not run. -#}
{% macro recorded_day_before() -%}
    {{ return(recorded_day('max(as_of_date)', 'as_of_date < ' ~ as_of_date())) }}
{%- endmacro %}

{#- The first recorded day after it; none after the last one, as on most nights, and while dbt does not run. -#}
{% macro recorded_day_after() -%}
    {{ return(recorded_day('min(as_of_date)', 'as_of_date > ' ~ as_of_date())) }}
{%- endmacro %}

{% macro recorded_day(day, condition) -%}
    {%- if not execute or flags.WHICH not in ('build', 'run') -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set log = as_left_behind('segment_membership_changes') -%}
    {%- if load_relation(log) is none -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set found = run_query('select ' ~ day ~ ' from ' ~ log ~ ' where customer_id is null and ' ~ condition).rows[0][0] -%}
    {{ return(none if found is none else found | string) }}
{%- endmacro %}

{#-
    The day of current_memberships as the last run has left it, as a text; none where it does not fit the log, because that run broke off between
    the two, where it lacks one of the segmentations `recorded`, and where there is nothing to tell it by.
-#}
{% macro day_left_behind(recorded) -%}
    {%- set memberships, log = as_left_behind('current_memberships'), as_left_behind('segment_membership_changes') -%}
    {%- if not execute or flags.WHICH not in ('build', 'run') or target.type == 'spark' or load_relation(memberships) is none or load_relation(log) is none -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set told = adapter.get_columns_in_relation(memberships) | map(attribute='name') | list -%}
    {%- for segmentation in recorded -%}
        {%- if segmentation ~ '_segment' not in told -%}{{ return(none) }}{%- endif -%}
    {%- endfor -%}
    {%- if 'written_in_run' not in adapter.get_columns_in_relation(log) | map(attribute='name') -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set left = run_query('select max(as_of_date), max(written_in_run) from ' ~ memberships).rows[0] -%}
    {%- set logged = run_query('select max(written_in_run) from ' ~ log).rows[0][0] -%}
    {{ return(left[0] | string if left[0] is not none and left[1] == logged else none) }}
{%- endmacro %}

{#- Segmentations that the history knows and the project no longer does: whoever was in one has left it, on the first day recorded without it. -#}
{% macro retired_segmentations() -%}
    {%- if not execute or flags.WHICH not in ('build', 'run') -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set flows = as_left_behind('segment_flows') -%}
    {%- if load_relation(flows) is none -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set found = run_query(
        'select distinct segmentation from ' ~ flows ~ ' where segmentation not in (' ~ segmentation_names() ~ ') order by segmentation'
    ) -%}
    {{ return(found.columns[0].values() | list) }}
{%- endmacro %}

{#- Every segmentation that a day is recorded for: today's, and those it retires. Asked once for a model, because it asks the database. -#}
{% macro recorded_segmentations() -%}
    {{ return(segmentations() + retired_segmentations()) }}
{%- endmacro %}
