{#-
    The query of audience_facts: one row per customer, a column for everything that any audience asks for.
    Each table of events is read once, whatever the number of audiences; sequences, which need an order of their own, once each.
-#}
{% macro audience_facts_query(plan) -%}
with customers as (

    select
        customer_id,
        as_of_date
    from {{ ref('int_customers') }}

),
{% for table, aggregates in plan.aggregates.items() %}
{{ table }}_counted as (

    select
        {{ audience_customer_column(table) }} as customer_id,
        {%- for column, expression in aggregates.items() %}
        {{ expression }} as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ audience_events_of(table, plan) }} as events
    group by {{ audience_customer_column(table) }}

),
{% endfor %}
{%- for column, sequence in plan.sequences.items() %}
{{ audience_sequence_ctes(column, sequence) }},
{% endfor %}
{%- set sources = audience_fact_sources(plan) %}
valued as (

    select
        customers.customer_id,
        customers.as_of_date
        {%- for name in plan.features %},
        {{ audience_feature_columns()[name].model }}.{{ name }} as feature_{{ name }}
        {%- endfor %}
        {%- for name in plan.segments %},
        {{ name }}_segments.segment as segment_{{ name }}
        {%- endfor %}
        {%- for table, aggregates in plan.aggregates.items() %}
        {%- for column in aggregates %},
        {{ table ~ '_counted.' ~ column if column in plan.absent else 'coalesce(' ~ table ~ '_counted.' ~ column ~ ', 0)' }} as {{ column }}
        {%- endfor %}
        {%- endfor %}
        {%- for column in plan.sequences %},
        coalesce({{ column }}.{{ column }}, 0) as {{ column }}
        {%- endfor %}
    from customers
    {%- for source in sources %}
    left join {{ source.relation }} as {{ source.name }} on customers.customer_id = {{ source.name }}.customer_id
    {%- endfor %}

),

final as (

    select
        *
        {%- for column, expression in plan.ranks.items() %},
        {{ expression }} as {{ column }}
        {%- endfor %}
    from valued

)

select * from final
{%- endmacro %}

{#- What valued joins: the models of the features and segments that are asked for, and the CTEs of events. -#}
{% macro audience_fact_sources(plan) -%}
    {%- set sources = [] -%}
    {%- set models = [] -%}
    {%- for name in plan.features -%}
        {%- set model = audience_feature_columns()[name].model -%}
        {%- if model not in models -%}{%- do models.append(model) -%}{%- endif -%}
    {%- endfor -%}
    {%- for model in models -%}{%- do sources.append({'name': model, 'relation': ref(model)}) -%}{%- endfor -%}
    {%- for name in plan.segments -%}
        {%- do sources.append({'name': name ~ '_segments', 'relation': ref(name ~ '_segments')}) -%}
    {%- endfor -%}
    {%- for table in plan.aggregates -%}{%- do sources.append({'name': table ~ '_counted', 'relation': table ~ '_counted'}) -%}{%- endfor -%}
    {%- for column in plan.sequences -%}{%- do sources.append({'name': column, 'relation': column}) -%}{%- endfor -%}
    {{ return(sources) }}
{%- endmacro %}

{% macro audience_customer_column(table) -%}
    {{ return(audience_tables()[table].get('customer', 'customer_id')) }}
{%- endmacro %}

{#-
    The events of a table as they are read: with what describes them, from the earliest window on, and with the event before
    where a gap is asked for.
-#}
{% macro audience_events_of(table, plan) -%}
    {%- set source = audience_tables()[table] -%}
    {%- set starts = plan.starts.get(table, []) -%}
    {%- set day_columns = starts | map(attribute=0) | unique | list -%}
    {%- set first_days = starts | map(attribute=1) | list -%}
    {%- set previous = plan.previous.get(table, {}) -%}
    {%- set is_bounded = starts and none not in first_days and day_columns | length == 1 and not previous -%}
    {%- set condition = 'where events.' ~ day_columns[0] ~ ' >= ' ~ audience_date(first_days | min) if is_bounded else '' -%}
    {%- set read = audience_events_with_lookup(source) ~ condition -%}
    {%- if not previous -%}{{ return('(' ~ read ~ ')') }}{%- endif -%}
    {%- set columns = [] -%}
    {%- for column, expression in previous.items() -%}{%- do columns.append(expression ~ ' as ' ~ column) -%}{%- endfor -%}
    {{ return('(select events.*, ' ~ columns | join(', ') ~ ' from (' ~ read ~ ') as events)') }}
{%- endmacro %}

{% macro audience_events_with_lookup(source) -%}
    {%- if source.lookup is not defined -%}
        {{ return('select events.* from ' ~ ref(source.model) ~ ' as events ') }}
    {%- endif -%}
    {%- set columns = [] -%}
    {%- for column in source.lookup.columns -%}{%- do columns.append('described.' ~ column) -%}{%- endfor -%}
    {{ return(
        'select events.*, ' ~ columns | join(', ') ~ ' from ' ~ ref(source.model) ~ ' as events left join ' ~ ref(source.lookup.model)
        ~ ' as described on events.' ~ source.lookup.key ~ ' = described.' ~ source.lookup.key ~ ' '
    ) }}
{%- endmacro %}

{#-
    The CTEs of one sequence: its events in one list, then for each step the latest start of a chain that reaches it, from step to step.
    The latest start is the one that matters: if any chain is short enough, the one that started last is.
-#}
{% macro audience_sequence_ctes(column, sequence) -%}
    {%- set within = audience_duration(sequence.within) if sequence.within else none -%}
    {%- set counts_days = within is not none and not within.is_exact -%}
{{ column }}_events as (
    {%- for step in sequence.steps %}
    {%- set event = audience_events()[step.event] %}

    select
        {{ audience_customer_column(event.table) }} as customer_id,
        {{ loop.index }} as step,
        {{ microseconds(event.at) }} as happened,
        {{ days_between("cast('1970-01-01' as date)", event.date) if counts_days else microseconds(event.at) }} as clock
    from ({{ audience_events_with_lookup(audience_tables()[event.table]) }}) as events
    where {{ step.match }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}

),

{{ column }}_step_1 as (

    select
        customer_id,
        step,
        happened,
        clock,
        case when step = 1 then clock end as started
    from {{ column }}_events

),
{% for step in sequence.steps[1:] %}
{{ column }}_step_{{ loop.index + 1 }} as (

    select
        customer_id,
        step,
        happened,
        clock,
        case when step = {{ loop.index + 1 }} then max(case when step = {{ loop.index }} then started end) over (
            partition by customer_id order by happened asc nulls first range between unbounded preceding and 1 preceding
        ) else started end as started
    from {{ column }}_step_{{ loop.index }}

),
{% endfor %}
{{ column }} as (

    select
        customer_id,
        count(*) as {{ column }}
    from {{ column }}_step_{{ sequence.steps | length }}
    where
        step = {{ sequence.steps | length }}
        and started is not null
        {%- if within is not none %}
        and clock - started <= {{ audience_days(within) if counts_days else audience_seconds(within) * 1000000 }}
        {%- endif %}
    group by customer_id

)
{%- endmacro %}
