{#-
    The events that a condition counts, for people to look at: a list of {event, sql}; each query has customer_id, happened_at and the fields
    of the event. A sequence has a query for each step, and a condition on what has not happened since has one for either event.
-#}
{% macro audience_counted_events(node) -%}
    {%- set parts = [] -%}
    {%- if 'sequence' in node -%}
        {%- for step in node['sequence'] -%}{%- do parts.append(dict(node, **step)) -%}{%- endfor -%}
    {%- elif 'done' in node or 'not_done' in node -%}
        {%- do parts.append(node) -%}
        {%- if 'not_followed_by' in node -%}{%- do parts.append(node['not_followed_by']) -%}{%- endif -%}
    {%- endif -%}
    {%- set queries = [] -%}
    {%- for part in parts -%}
        {%- set name = part.get('done') or part['not_done'] -%}
        {%- set event = audience_events()[name] -%}
        {%- set columns = [audience_customer_column(event.table) ~ ' as customer_id', event.at ~ ' as happened_at'] -%}
        {%- for field, column in event.fields.items() -%}{%- do columns.append(column[0] ~ ' as "' ~ field ~ '"') -%}{%- endfor -%}
        {%- do queries.append({
            'event': name,
            'sql': 'select ' ~ columns | join(', ') ~ ' from (' ~ audience_events_with_lookup(event.table) ~ ') as events where '
                ~ audience_match(part, event).sql,
        }) -%}
    {%- endfor -%}
    {{ return(queries) }}
{%- endmacro %}
