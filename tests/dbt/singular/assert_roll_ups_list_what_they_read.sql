-- Why: a roll-up that reads a raw table which macros/incremental/roll_ups.sql does not list for it would miss that table's corrections, and one that reads
-- another roll-up without its windows would miss the days on which that one changes: rows of yesterday that no later night mends.
-- depends_on: {{ ref('int_refreshed_customers') }}
{%- set listed = roll_ups() %}
{%- set problems = [] %}
{%- set tagged = [] %}
{%- for node in (graph.nodes.values() if execute else []) if node.resource_type == 'model' and 'roll_up' in node.tags %}
{%- do tagged.append(node.name) %}
{%- endfor %}
{%- for name in listed if execute and name not in tagged %}
{%- do problems.append(name ~ ' is listed and no roll-up') %}
{%- endfor %}
{%- for node in (graph.nodes.values() if execute else []) if node.name in tagged and not node.name.startswith('int_refreshed_') %}
{%- if node.name not in listed %}
{%- do problems.append(node.name ~ ' is not listed') %}
{%- else %}
{%- set own = listed[node.name] %}
{#- Everything it is made of, down to the raw tables. The list grows while it is walked. #}
{%- set found = node.depends_on.nodes | list %}
{%- set raw_tables = [] %}
{%- for unique_id in found %}
{%- set part = graph.nodes.get(unique_id) %}
{%- if part and part.resource_type == 'model' and not part.name.startswith('int_refreshed_') %}
{%- if part.name.startswith('stg_') or part.name.startswith('base_') %}
{%- do raw_tables.append(part.name.split('_', 1)[1]) %}
{%- else %}
{%- for upstream in part.depends_on.nodes if upstream not in found %}
{%- do found.append(upstream) %}
{%- endfor %}
{%- for event, windows in listed.get(part.name, {}).get('windows', {}).items() %}
{%- for window in windows if window not in own.windows.get(event, []) %}
{%- do problems.append(node.name ~ ' reads ' ~ part.name ~ ' without its window ' ~ window ~ ' of ' ~ event) %}
{%- endfor %}
{%- endfor %}
{%- endif %}
{%- endif %}
{%- endfor %}
{%- for table in raw_tables | unique if table not in own.raw_tables %}
{%- do problems.append(node.name ~ ' reads ' ~ table ~ ', which is not listed for it') %}
{%- endfor %}
{%- for table in own.raw_tables if table not in raw_tables %}
{%- do problems.append(node.name ~ ' does not read ' ~ table ~ ', which is listed for it') %}
{%- endfor %}
{%- for event in own.windows if event.split('.')[0] not in own.raw_tables %}
{%- do problems.append(node.name ~ ' has windows of ' ~ event ~ ', whose table is not listed for it') %}
{%- endfor %}
{%- endif %}
{%- endfor %}

{%- for problem in problems %}
select {{ dbt.string_literal(dbt.escape_single_quotes(problem)) }} as problem
{{ 'union all' if not loop.last }}
{%- else %}
select 'none' as problem
where false
{%- endfor %}
