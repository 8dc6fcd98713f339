{#-
    The builds that stand: of each day described the last one that was published or recorded, or the one in progress. A body for a CTE.
    A day that was built again replaces its earlier build, as its rows do; what a build that failed found is in no table a reader sees.
-#}
{% macro standing_builds() -%}
    select * from (
        select
            *,
            row_number() over (
                partition by as_of_date
                order by started_at desc, build_id desc
            ) as build_number
        from {{ ref('stg_builds') }}
        where
            status in ('published', 'recorded')
            {%- if var('build_id') is not none %}
            or build_id = {{ dbt.string_literal(dbt.escape_single_quotes(var('build_id') | string)) }}
            {%- endif %}
    ) as numbered
    where build_number = 1
{%- endmacro %}
