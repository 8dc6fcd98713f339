{#-
    The model audience_facts. What may be asked is named here, all of it, so that dbt knows it when it parses; what is asked is known when it runs,
    from the definitions that dbt has found in the other files by then.
-#}
{% macro audience_facts() -%}
    {%- for source in audience_tables().values() -%}
        {%- do ref(source.model) -%}
        {%- if source.lookup is defined -%}{%- do ref(source.lookup.model) -%}{%- endif -%}
    {%- endfor -%}
    {%- do ref('current_profiles') -%}
    {%- if execute -%}
{{ audience_facts_query(audience_plan(audience_definitions())) }}
    {%- endif -%}
{%- endmacro %}

{#-
    The query of audience_facts: one row per customer, a column for everything that any audience asks for.
    Each table of events is read once for each length of window, whatever the number of audiences; what needs an order of its own, apart.
-#}
{% macro audience_facts_query(plan) -%}
with profiles as (

    select * from {{ ref('current_profiles') }}

),
{% for name, counted in plan.passes.items() %}
{{ name }} as (

    select
        {{ audience_customer_column(counted.table) }} as customer_id,
        {%- for column, expression in counted.columns.items() %}
        {{ expression }} as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ audience_events_of_pass(counted) }} as events
    group by {{ audience_customer_column(counted.table) }}

),
{% endfor %}
{%- for column, sequence in plan.sequences.items() %}
{{ audience_sequence_ctes(column, sequence) }},
{% endfor %}
{%- for column, comeback in plan.comebacks.items() %}
{{ audience_comeback_ctes(column, comeback) }},
{% endfor %}
{%- for column, distinct in plan.distincts.items() %}
{{ audience_distinct_cte(column, distinct) }},
{% endfor %}
valued as (

    select
        profiles.customer_id,
        profiles.as_of_date
        {%- for name in plan.features %},
        profiles.{{ name }} as feature_{{ name }}
        {%- endfor %}
        {%- for name in plan.segments %},
        profiles.{{ name }}_segment as segment_{{ name }}
        {%- endfor %}
        {%- for name, counted in plan.passes.items() %}
        {%- for column in counted.columns if column not in plan.inner %},
        {{ name ~ '.' ~ column if column in plan.absent else 'coalesce(' ~ name ~ '.' ~ column ~ ', 0)' }} as {{ column }}
        {%- endfor %}
        {%- endfor %}
        {%- for column in audience_apart(plan) %},
        coalesce({{ column }}.{{ column }}, 0) as {{ column }}
        {%- endfor %}
    from profiles
    {%- for counted in plan.passes.keys() | list + audience_apart(plan) %}
    left join {{ counted }} on profiles.customer_id = {{ counted }}.customer_id
    {%- endfor %}

),
{% for column, place in plan.places.items() %}
{{ audience_place_ctes(column, place) }},
{% endfor %}
final as (

    select
        valued.*
        {%- for column in plan.places %},
        {{ column }}.{{ column }}
        {%- endfor %}
    from valued
    {%- for column, place in plan.places.items() %}
    {{ 'left join ' ~ column ~ ' on valued.' ~ place.group ~ ' = ' ~ column ~ '.ranked_group' if place.group else 'cross join ' ~ column }}
    {%- endfor %}

)

select * from final
{%- endmacro %}

{#- The columns that have a CTE of their own. -#}
{% macro audience_apart(plan) -%}
    {{ return(plan.sequences.keys() | list + plan.comebacks.keys() | list + plan.distincts.keys() | list) }}
{%- endmacro %}

{#- How many different values of a field the events that match have. -#}
{% macro audience_distinct_cte(column, distinct) -%}
    {%- set event = audience_events()[distinct.event] -%}
{{ column }} as (

    select
        customer_id,
        cast(count(*) as integer) as {{ column }}
    from (
        select distinct
            {{ audience_customer_column(event.table) }} as customer_id,
            {{ distinct.field }} as counted_value
        from ({{ audience_events_with_lookup(event.table) }}) as events
        where {{ audience_joined([distinct.match, distinct.field ~ ' is not null']) }}
    ) as different
    group by customer_id

)
{%- endmacro %}

{#-
    The value of the last who is in; who equals it is in as well. Ranked is nothing but the value, because sorting whole rows is what costs,
    and a row for each group is joined, not one for each customer. Customers are numbered and ties not looked at: they do not change the
    value of the last, and an engine that sees how many of a group are wanted need not sort the others.
-#}
{% macro audience_place_ctes(column, place) -%}
    {%- set percentile = audience_percentile(place) if place.percent else none -%}
    {%- set partition = 'partition by ranked_group ' if place.group else '' -%}
{{ column }}_values as (

    select
        {{ place.value }} as ranked_value,
        {{ place.group or 'null' }} as ranked_group
    from valued
    where {{ place.value }} is not null{{ ' and ' ~ place.group ~ ' is not null' if place.group }}

),
{% if not percentile %}
{{ column }}_numbered as (

    select
        ranked_group,
        ranked_value,
        row_number() over ({{ partition }}order by ranked_value {{ 'desc' if place.is_top else 'asc' }}) as place
        {%- if place.percent %},
        count(*) over ({{ partition | trim }}) as ranked
        {%- endif %}
    from {{ column }}_values

),
{% endif %}
{{ column }} as (

    select
        {%- if place.group %}
        ranked_group,
        {%- endif %}
        {{ percentile or ('min(ranked_value)' if place.is_top else 'max(ranked_value)') }} as {{ column }}
    from {{ column ~ ('_values' if percentile else '_numbered') }}
    {%- if place.rows %}
    where place <= {{ audience_literal(place.rows, 'number') }}
    {%- elif not percentile %}
    {#- The smallest number of customers that is at least so many percent of them. #}
    where 100 * (place - 1) < {{ audience_literal(place.percent, 'number') }} * ranked
    {%- endif %}
    {{- '\n    group by ranked_group' if place.group }}

)
{%- endmacro %}

{#- The value of the last of a percentage, rounded up to a whole customer, where the engine finds it exactly without a sort; or none. -#}
{% macro audience_percentile(place) -%}
    {{ return(adapter.dispatch('audience_percentile', 'customer_segments')(place)) }}
{%- endmacro %}

{% macro default__audience_percentile(place) -%}
    {%- set share = '%.6f' % ((audience_literal(place.percent, 'number') | float) / 100) -%}
    {{ return('percentile_disc(' ~ share ~ ') within group (order by ranked_value ' ~ ('desc' if place.is_top else 'asc') ~ ')') }}
{%- endmacro %}

{#- In binary fractions 7 percent of 100 are a little more than 7, and an eighth would be in. -#}
{% macro spark__audience_percentile(place) -%}
    {{ return(none) }}
{%- endmacro %}

{#-
    Events that came so long after the one before: an order of its own, of few columns. With a window, only of who did something in it, and of
    nothing that lies further back than the gap before it: whoever has no event before in what is left came back if there is any older one.
    Where all events are counted anyway, that is seen by the first of them.
-#}
{% macro audience_comeback_ctes(column, comeback) -%}
    {%- set event = audience_events()[comeback.event] -%}
    {%- set gap = audience_duration(comeback.gap) -%}
    {%- set customer = audience_customer_column(event.table) -%}
    {%- set events = '(' ~ audience_events_with_lookup(event.table) ~ ') as events' -%}
    {%- set ordered_from = audience_date(audience_gap_before(comeback.first_day, gap)) if comeback.first_day else none -%}
    {%- set ordered = [comeback.filters] -%}
    {%- if ordered_from -%}
        {%- do ordered.append(event.date ~ ' >= ' ~ ordered_from) -%}
        {%- do ordered.append(customer ~ ' in (select customer_id from ' ~ column ~ '_customers)') -%}
    {%- endif -%}
{%- if ordered_from %}
{{ column }}_customers as (

    select distinct {{ customer }} as customer_id
    from {{ events }}
    where {{ audience_joined([comeback.filters, comeback.window]) }}

),

{% endif -%}
{{ column }}_followed as (

    select
        customer_id,
        happened_at,
        happened_on,
        lag({{ 'happened_at' if gap.is_exact else 'happened_on' }}) over (
            partition by customer_id order by happened_at asc nulls first
        ) as previous
    from (
        select
            {{ customer }} as customer_id,
            {{ event.at }} as happened_at,
            {{ event.date }} as happened_on
        from {{ events }}
        where {{ audience_joined(ordered) }}
    ) as happened

),
{% if ordered_from %}
{{ column }}_older as (

    {% if comeback.first -%}
    select customer_id
    from {{ comeback.first.relation }}
    where
        {{ comeback.first.column }} < {{ ordered_from }}
        and customer_id in (
    {%- else -%}
    select distinct {{ customer }} as customer_id
    from {{ events }}
    where
        {{ audience_joined([comeback.filters, event.date ~ ' < ' ~ ordered_from]) }}
        and {{ customer }} in (
    {%- endif %}
            select customer_id from {{ column }}_followed
            where previous is null and {{ comeback.comeback_window }}
        )

),
{% endif %}
{{ column }} as (

    select
        followed.customer_id,
        cast(count(*) as integer) as {{ column }}
    from {{ column }}_followed as followed
    {%- if ordered_from %}
    left join {{ column }}_older as older on followed.customer_id = older.customer_id
    {%- endif %}
    where
        {{ comeback.comeback_window }}
        and (
            {%- if gap.is_exact %}
            {{ microseconds('happened_at') }} - {{ microseconds('previous') }} >= {{ audience_seconds(gap) * 1000000 }}
            {%- else %}
            {{ days_between('previous', 'happened_on') }} >= {{ audience_days(gap) }}
            {%- endif %}
            {%- if ordered_from %}
            or (previous is null and older.customer_id is not null)
            {%- endif %}
        )
    group by followed.customer_id

)
{%- endmacro %}

{#- A day that lies a gap before another, to the day or a day sooner. -#}
{% macro audience_gap_before(day, gap) -%}
    {%- set days = audience_seconds(gap) // 86400 + 2 if gap.is_exact else audience_days(gap) -%}
    {{ return(modules.datetime.datetime.strptime(day, '%Y-%m-%d') - modules.datetime.timedelta(days=days)) }}
{%- endmacro %}

{% macro audience_customer_column(table) -%}
    {{ return(audience_tables()[table].get('customer', 'customer_id')) }}
{%- endmacro %}

{#- The events of a table as they are read for counting: from the earliest window of the pass on. -#}
{% macro audience_events_of_pass(counted) -%}
    {%- set starts = [] -%}
    {%- for day, first_day in counted.starts.items() -%}{%- do starts.append(day ~ ' >= ' ~ audience_date(first_day)) -%}{%- endfor -%}
    {%- set since = ['(' ~ starts | join(' or ') ~ ')'] if not counted.is_whole else [] -%}
    {{ return('(' ~ audience_events_with_lookup(counted.table, since) ~ ')') }}
{%- endmacro %}

{#- The events of a table, with what describes them: none of the future, nothing that is none of its events. -#}
{% macro audience_events_with_lookup(table, conditions=[]) -%}
    {%- set source = audience_tables()[table] -%}
    {%- set columns = ['events.*'] -%}
    {%- set joined = '' -%}
    {%- if source.lookup is defined -%}
        {%- for column in source.lookup.columns -%}{%- do columns.append('described.' ~ column) -%}{%- endfor -%}
        {%- set key = source.lookup.key -%}
        {%- set joined = ' left join ' ~ ref(source.lookup.model) ~ ' as described on events.' ~ key ~ ' = described.' ~ key -%}
    {%- endif -%}
    {%- set asked = audience_joined(audience_common_conditions(table) + conditions) -%}
    {{ return('select ' ~ columns | join(', ') ~ ' from ' ~ ref(source.model) ~ ' as events' ~ joined ~ ' where ' ~ asked) }}
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
    from ({{ audience_events_with_lookup(event.table) }}) as events
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
        cast(count(*) as integer) as {{ column }}
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
