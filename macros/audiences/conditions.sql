{#-
    From conditions to SQL. A condition becomes a predicate over one row of audience_facts, three-valued: true, false, or null for unknown.
    What it needs of that row is entered in the plan, and audience_facts computes it for all audiences together:

    features     {feature}, segments {segmentation}: columns of current_profiles.
    passes       {pass: {table, starts, is_whole, columns}}: what is counted over events, {column: expression}; starts is {column of the day:
                 first day}, so that no pass reads events before its earliest window; is_whole says that something in it has no window.
    sequences    {column: sequence}: steps in order, of any tables.
    comebacks    {column: comeback}: events after a gap.
    distincts    {column: distinct}: how many different values; apart, because one of them in the common pass makes engines read it twice.
    places       {column: place}: the value of the last who is in, among all customers or within a group.
    absent       the columns that are null, not zero, for a customer without any event.
    inner        the columns of a pass that only other parts of the query read: they are no facts.

    Columns are named by what they hold, so equal conditions of several audiences are computed once.
-#}
{% macro audience_new_plan() -%}
    {{ return({
        'features': {}, 'segments': {}, 'passes': {}, 'sequences': {}, 'comebacks': {}, 'distincts': {}, 'places': {}, 'absent': {}, 'inner': {},
    }) }}
{%- endmacro %}

{#- The name of the column that holds an expression. -#}
{% macro audience_column(kind, expression) -%}
    {{ return(kind ~ '_' ~ local_md5(expression)[:12]) }}
{%- endmacro %}

{#- Enter an aggregate over the events that match, none of them before first_day; returns its column. -#}
{% macro audience_aggregate(plan, event, kind, expression, first_day, absent=false) -%}
    {%- set column = audience_column(kind, event.table ~ ' ' ~ expression) -%}
    {%- set length = audience_window_length(first_day) -%}
    {%- set counted = plan.passes.setdefault(
        event.table ~ '_' ~ length, {'table': event.table, 'starts': {}, 'is_whole': false, 'columns': {}}
    ) -%}
    {%- do counted.columns.update({column: expression}) -%}
    {%- if first_day -%}
        {%- do counted.starts.update({event.date: [first_day, counted.starts.get(event.date, first_day)] | min}) -%}
    {%- else -%}
        {%- do counted.update({'is_whole': true}) -%}
    {%- endif -%}
    {%- if absent -%}{%- do plan.absent.update({column: true}) -%}{%- endif -%}
    {{ return(column) }}
{%- endmacro %}

{#-
    Windows of about one length are counted in one pass. The width of what is counted is what a pass costs, times its rows: so what asks for
    a month does not widen the pass over all years, and is joined for the customers of that month alone. Beyond a quarter a pass has nearly
    all customers, and joining one more of them costs more than the width.
-#}
{% macro audience_window_length(first_day) -%}
    {%- set days = (audience_day().date() - first_day).days if first_day else none -%}
    {%- for length, most_days in {'month': 31, 'quarter': 92}.items() if days is not none and days <= most_days -%}
        {{ return(length) }}
    {%- endfor -%}
    {{ return('long') }}
{%- endmacro %}

{#-
    Which events a node is about, but for its window: kind of event, filters, weekdays, local time; and never the future.
    What is true of all events of the table is asked where the table is read (audience_common_conditions), once.
-#}
{% macro audience_filters(node, event) -%}
    {%- set common = audience_common_conditions(event.table) -%}
    {%- set conditions = [] -%}
    {%- for condition in audience_own_conditions(event) if condition not in common -%}{%- do conditions.append(condition) -%}{%- endfor -%}
    {%- for field, asked in node.get('where', {}).items() -%}
        {%- set column, type = event.fields[field] -%}
        {%- if asked is mapping -%}
            {%- do conditions.append(audience_comparison(column, type, asked)) -%}
        {%- elif asked is sequence and asked is not string -%}
            {%- do conditions.append(audience_comparison(column, type, {'in': asked})) -%}
        {%- else -%}
            {%- do conditions.append(audience_comparison(column, type, {'is': asked})) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if node.get('weekdays') -%}
        {%- set week = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] -%}
        {%- set numbers = [] -%}
        {%- for weekday in node['weekdays'] -%}{%- do numbers.append(week.index(weekday) + 1) -%}{%- endfor -%}
        {%- do conditions.append(iso_weekday(event.date) ~ ' in (' ~ numbers | join(', ') ~ ')') -%}
    {%- endif -%}
    {%- if node.get('local_time') -%}
        {%- set minutes = [] -%}
        {%- for clock in node['local_time'].split('-') -%}
            {%- do minutes.append((clock.split(':')[0] | int) * 60 + (clock.split(':')[1] | int)) -%}
        {%- endfor -%}
        {%- set minute = business_minute(event.at) -%}
        {%- if minutes[0] < minutes[1] -%}
            {%- do conditions.append(minute ~ ' between ' ~ minutes[0] ~ ' and ' ~ (minutes[1] - 1)) -%}
        {%- else -%}
            {#- From 22:00 to 06:00 is over midnight. -#}
            {%- do conditions.append('(' ~ minute ~ ' >= ' ~ minutes[0] ~ ' or ' ~ minute ~ ' < ' ~ minutes[1] ~ ')') -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(conditions | join(' and ') or 'true') }}
{%- endmacro %}

{#- What makes a row of a table such an event: it is of the kind, and not in the future. -#}
{% macro audience_own_conditions(event) -%}
    {%- set conditions = [event.date ~ ' < ' ~ audience_date(audience_day())] -%}
    {%- if event.condition is defined -%}{%- do conditions.append(event.condition) -%}{%- endif -%}
    {{ return(conditions) }}
{%- endmacro %}

{#- Of these, what all events of a table have in common. -#}
{% macro audience_common_conditions(table) -%}
    {%- set lists = [] -%}
    {%- for event in audience_events().values() if event.table == table -%}{%- do lists.append(audience_own_conditions(event)) -%}{%- endfor -%}
    {%- set common = [] -%}
    {%- for condition in lists[0] -%}
        {%- set seen = [] -%}
        {%- for conditions in lists if condition in conditions -%}{%- do seen.append(1) -%}{%- endfor -%}
        {%- if seen | length == lists | length -%}{%- do common.append(condition) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(common) }}
{%- endmacro %}

{#- Filters and window of a node together: {sql, first_day}. -#}
{% macro audience_match(node, event) -%}
    {%- set window = audience_window(node, event.at, event.date) -%}
    {{ return({'sql': audience_joined([audience_filters(node, event)] + window.conditions), 'first_day': window.first_day}) }}
{%- endmacro %}

{#- Conditions as one, those that ask nothing left out. -#}
{% macro audience_joined(conditions) -%}
    {{ return(conditions | reject('equalto', 'true') | join(' and ') or 'true') }}
{%- endmacro %}

{#- The condition that a place makes: the operators top, top_percent, bottom, bottom_percent and `within`. Ties share the better place. -#}
{% macro audience_rank(plan, value, node, unknown_is_out) -%}
    {%- set is_top = 'top' in node or 'top_percent' in node -%}
    {%- set group = none -%}
    {%- if node.get('within') -%}
        {%- set group = 'feature_' ~ node['within'] -%}
        {%- do plan.features.update({node['within']: true}) -%}
    {%- endif -%}
    {%- set place = {
        'value': value, 'group': group, 'is_top': is_top,
        'rows': node.get('top') or node.get('bottom'), 'percent': node.get('top_percent') or node.get('bottom_percent'),
    } -%}
    {%- set column = audience_column('place', tojson(place)) -%}
    {%- do plan.places.update({column: place}) -%}
    {%- set test = value ~ (' >= ' if is_top else ' <= ') ~ column -%}
    {#- Whoever has done nothing has no place, and that is known. -#}
    {{ return('case when ' ~ value ~ ' is null then false else ' ~ test ~ ' end' if unknown_is_out else test) }}
{%- endmacro %}

{#- What an aggregate leaves out. -#}
{% macro audience_filter(condition) -%}
    {{ return('' if condition == 'true' else ' filter (where ' ~ condition ~ ')') }}
{%- endmacro %}

{#- The measure that a node takes of its events: count, unless it names another. -#}
{% macro audience_measure_of(node) -%}
    {%- set found = [] -%}
    {%- for measure in [
        'count', 'sum', 'average', 'distinct', 'highest', 'lowest', 'first_time', 'last_time', 'every_month_of', 'came_back_after',
        'not_followed_by'
    ] -%}
        {%- if measure in node -%}{%- do found.append(measure) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(found[0] if found else none) }}
{%- endmacro %}

{#- A condition on events: {sql, value (what is compared, as SQL)}. -#}
{% macro audience_event_condition(node, plan) -%}
    {%- set event = audience_events()[node.get('done') or node['not_done']] -%}
    {%- set match = audience_match(node, event) -%}
    {%- set happened = audience_filter(match.sql) -%}
    {%- set measure = audience_measure_of(node) -%}
    {%- if measure is none or measure == 'count' -%}
        {%- set column = audience_aggregate(plan, event, 'count', 'cast(count(*)' ~ happened ~ ' as integer)', match.first_day) -%}
        {%- if 'not_done' in node -%}
            {{ return({'sql': column ~ ' = 0', 'value': column}) }}
        {%- elif measure is none -%}
            {{ return({'sql': column ~ ' > 0', 'value': column}) }}
        {%- endif -%}
        {{ return(audience_measured(node['count'], 'nullif(' ~ column ~ ', 0)', column, plan)) }}
    {%- elif measure in ['sum', 'average', 'distinct', 'highest', 'lowest'] -%}
        {%- set asked = node[measure] -%}
        {%- set field = event.fields[asked['of']][0] -%}
        {%- if measure == 'sum' -%}
            {#- Nothing known is worth nothing where it is compared, and has no place. -#}
            {%- set column = audience_aggregate(
                plan, event, 'sum', 'cast(sum(' ~ field ~ ')' ~ happened ~ ' as decimal(38, 4))', match.first_day, absent=true
            ) -%}
            {{ return(audience_measured(asked, column, 'coalesce(' ~ column ~ ', 0)', plan)) }}
        {%- elif measure == 'average' -%}
            {#- Half up to four places, in whole numbers: engines divide differently. -#}
            {%- set total = 'cast(20000 * sum(' ~ field ~ ')' ~ happened ~ ' as bigint)' -%}
            {%- set known = 'count(' ~ field ~ ')' ~ happened -%}
            {%- set mean = 'cast(cast(floor((' ~ total ~ ' + ' ~ known ~ ') / nullif(2 * ' ~ known ~ ', 0)) as bigint) * 0.0001 as decimal(38, 4))' -%}
            {%- set column = audience_aggregate(plan, event, 'average', mean, match.first_day, absent=true) -%}
        {%- elif measure == 'distinct' -%}
            {%- set distinct = {'event': node['done'], 'field': field, 'match': match.sql} -%}
            {%- set column = audience_column('distinct', tojson(distinct)) -%}
            {%- do plan.distincts.update({column: distinct}) -%}
            {{ return(audience_measured(asked, 'nullif(' ~ column ~ ', 0)', column, plan)) }}
        {%- else -%}
            {%- set function = 'max' if measure == 'highest' else 'min' -%}
            {%- set column = audience_aggregate(plan, event, measure, function ~ '(' ~ field ~ ')' ~ happened, match.first_day, absent=true) -%}
        {%- endif -%}
        {{ return(audience_measured(asked, column, column, plan)) }}
    {%- elif measure in ['first_time', 'last_time'] -%}
        {%- set function = 'min' if measure == 'first_time' else 'max' -%}
        {#- Earlier times are on earlier days, so either of them is enough for a window that asks for one. -#}
        {%- set asks_for_times = audience_window(node[measure], 'time', 'day').conditions | join(' ') -%}
        {%- set column = {} -%}
        {%- for name, seen in {'time': event.at, 'day': event.date}.items() if name ~ ' ' in asks_for_times -%}
            {%- do column.update({name: audience_aggregate(plan, event, measure, function ~ '(' ~ seen ~ ')' ~ happened, match.first_day, absent=true)}) -%}
        {%- endfor -%}
        {%- set conditions = audience_window(node[measure], column.get('time'), column.get('day')).conditions -%}
        {{ return({'sql': 'coalesce(' ~ conditions | join(' and ') ~ ', false)', 'value': column.values() | first}) }}
    {%- elif measure == 'every_month_of' -%}
        {%- set months = node['every_month_of'] -%}
        {%- set this_month = audience_day().replace(day=1) -%}
        {%- set start = audience_month_before(this_month, months) -%}
        {%- set month_number = '(' ~ (this_month.year * 12 + this_month.month - 1) ~ ' - (12 * extract(year from ' ~ event.date ~ ') + extract(month from ' ~ event.date ~ ')))' -%}
        {%- set in_months = match.sql ~ ' and ' ~ event.date ~ ' >= ' ~ audience_date(start) ~ ' and ' ~ event.date ~ ' < ' ~ audience_date(this_month) -%}
        {#- A bit for each month. In a case and not behind a filter: the power of a month long ago would not fit. -#}
        {%- set bits = 'bit_or(case when ' ~ in_months ~ ' then cast(power(2, ' ~ month_number ~ ') as bigint) end)' -%}
        {%- set column = audience_aggregate(plan, event, 'months', bits, start.date()) -%}
        {{ return({'sql': 'bit_count(' ~ column ~ ') = ' ~ months, 'value': 'bit_count(' ~ column ~ ')'}) }}
    {%- elif measure == 'came_back_after' -%}
        {%- set comeback = {
            'event': node['done'], 'filters': audience_filters(node, event), 'gap': node['came_back_after'],
            'window': audience_joined(audience_window(node, event.at, event.date).conditions),
            'comeback_window': audience_joined(audience_window(node, 'happened_at', 'happened_on').conditions),
            'first_day': match.first_day | string if match.first_day else none,
        } -%}
        {%- set column = audience_column('comebacks', tojson(comeback)) -%}
        {%- do plan.comebacks.update({column: comeback}) -%}
        {{ return({'sql': column ~ ' > 0', 'value': column}) }}
    {%- endif -%}
    {#- not_followed_by: after the last of these, none of those; at the same instant is not after. -#}
    {%- set answer = node['not_followed_by'] -%}
    {%- set answer_event = audience_events()[answer['done']] -%}
    {%- set last = audience_aggregate(plan, event, 'last_time', 'max(' ~ event.at ~ ')' ~ happened, match.first_day, absent=true) -%}
    {#- An answer before the first of these is none. -#}
    {%- set later = [answer_event.date ~ ' >= ' ~ audience_date(match.first_day)] if match.first_day else [] -%}
    {%- set answered = 'max(' ~ answer_event.at ~ ')' ~ audience_filter(audience_joined([audience_filters(answer, answer_event)] + later)) -%}
    {%- set last_answer = audience_aggregate(plan, answer_event, 'last_time', answered, match.first_day, absent=true) -%}
    {{ return({
        'sql': '(' ~ last ~ ' is not null and coalesce(' ~ last_answer ~ ' <= ' ~ last ~ ', true))',
        'value': last,
    }) }}
{%- endmacro %}

{#-
    The first event of those that a comeback is about, from a pass that reads all of them for others already: a column more there instead
    of reading them again.
-#}
{% macro audience_comeback_first(plan, comeback) -%}
    {%- set event = audience_events()[comeback.event] -%}
    {%- set name = event.table ~ '_' ~ audience_window_length(none) -%}
    {%- set counted = plan.passes.get(name) -%}
    {%- if comeback.first_day and counted and counted.is_whole -%}
        {%- set known = counted.columns | list -%}
        {%- set first = 'min(' ~ event.date ~ ')' ~ audience_filter(comeback.filters) -%}
        {%- set column = audience_aggregate(plan, event, 'first_time', first, none, absent=true) -%}
        {%- if column not in known -%}{%- do plan.inner.update({column: true}) -%}{%- endif -%}
        {%- do comeback.update({'first': {'relation': name, 'column': column}}) -%}
    {%- endif -%}
{%- endmacro %}

{#- The first day of the month so many months before a first of a month. -#}
{% macro audience_month_before(first, months) -%}
    {%- set month_number = first.year * 12 + first.month - 1 - months -%}
    {{ return(first.replace(year=month_number // 12, month=month_number % 12 + 1)) }}
{%- endmacro %}

{#- A measure against its operators. ranked: the value that gives a place, null for who has done nothing. -#}
{% macro audience_measured(asked, ranked, value, plan) -%}
    {%- set tests = [] -%}
    {%- set comparison = audience_comparison(value, 'number', asked) -%}
    {%- if comparison -%}{%- do tests.append(comparison) -%}{%- endif -%}
    {%- if audience_asks_for_a_place(asked) -%}
        {%- do tests.append(audience_rank(plan, ranked, asked, true)) -%}
    {%- endif -%}
    {{ return({'sql': tests | join(' and '), 'value': value}) }}
{%- endmacro %}

{% macro audience_asks_for_a_place(node) -%}
    {{ return('top' in node or 'top_percent' in node or 'bottom' in node or 'bottom_percent' in node) }}
{%- endmacro %}

{#- Steps one after the other, each strictly later than the one before, all within a time: {sql, value}. -#}
{% macro audience_sequence_condition(node, plan) -%}
    {%- set steps = [] -%}
    {%- for step in node['sequence'] -%}
        {%- set event = audience_events()[step['done']] -%}
        {%- set window = audience_window(node, event.at, event.date) -%}
        {%- do steps.append({
            'event': step['done'],
            'match': audience_joined([audience_filters(step, event)] + window.conditions),
        }) -%}
    {%- endfor -%}
    {%- set column = audience_column('sequences', tojson(steps) ~ node.get('within', '')) -%}
    {%- do plan.sequences.update({column: {'steps': steps, 'within': node.get('within')}}) -%}
    {{ return({'sql': column ~ ' > 0', 'value': column}) }}
{%- endmacro %}

{#-
    Any condition as a predicate.

    definitions: {audience: definition}, for audiences that name others; their conditions are taken over, so no audience is joined.
    trail: the audiences that led here; a circle has no meaning.
    explained: a list that gets a row for each condition ({path, text, value, threshold, sql}), or none.
-#}
{% macro audience_condition(node, plan, definitions, trail, explained=none, path='1') -%}
    {%- set outcome = {} -%}
    {%- if 'all' in node or 'any' in node -%}
        {%- set group = 'all' if 'all' in node else 'any' -%}
        {%- set parts = [] -%}
        {%- set inner = [] -%}
        {%- for part in node[group] -%}
            {%- do parts.append(
                '(' ~ audience_condition(part, plan, definitions, trail, none if explained is none else inner, path ~ '.' ~ loop.index) ~ ')'
            ) -%}
        {%- endfor -%}
        {%- do outcome.update({
            'sql': parts | join(' and ' if group == 'all' else ' or '), 'text': group ~ ' of ' ~ parts | length, 'inner': inner,
        }) -%}
    {%- elif 'not' in node -%}
        {%- set inner = [] -%}
        {%- set part = audience_condition(node['not'], plan, definitions, trail, none if explained is none else inner, path ~ '.1') -%}
        {#- Unknown is not met, so its denial holds; unless the author wants nobody in of whom it is not known. -#}
        {%- set denied = '(' ~ part ~ ')' if node.get('unknown') == 'excluded' else 'coalesce(' ~ part ~ ', false)' -%}
        {%- do outcome.update({'sql': 'not ' ~ denied, 'text': 'not', 'inner': inner}) -%}
    {%- elif 'audience' in node -%}
        {%- set name = node['audience'] -%}
        {%- if name in trail -%}
            {{ exceptions.raise_compiler_error('audience: ' ~ (trail + [name]) | join(' > ') ~ ' is a circle') }}
        {%- endif -%}
        {%- set other = audience_condition(definitions[name]['members'], plan, definitions, trail + [name]) -%}
        {%- do outcome.update({'sql': 'coalesce(' ~ other ~ ', false)', 'inner': []}) -%}
        {%- do outcome.update({'value': outcome.sql}) -%}
    {%- elif 'segment' in node -%}
        {%- set column = 'segment_' ~ node['segment'] -%}
        {%- do plan.segments.update({node['segment']: true}) -%}
        {%- do outcome.update({'sql': audience_comparison(column, 'text', node), 'value': column, 'inner': []}) -%}
    {%- elif 'feature' in node -%}
        {%- set column = 'feature_' ~ node['feature'] -%}
        {%- do plan.features.update({node['feature']: true}) -%}
        {%- set tests = [] -%}
        {%- set comparison = audience_comparison(column, audience_features()[node['feature']], node) -%}
        {%- if comparison -%}{%- do tests.append(comparison) -%}{%- endif -%}
        {%- set window = audience_window(node, column, column).conditions -%}
        {%- do tests.extend(window) -%}
        {%- if audience_asks_for_a_place(node) -%}{%- do tests.append(audience_rank(plan, column, node, false)) -%}{%- endif -%}
        {%- set sql = tests | join(' and ') -%}
        {%- do outcome.update({
            'sql': 'coalesce(' ~ sql ~ ', true)' if node.get('unknown') == 'included' else sql, 'value': column, 'inner': [],
        }) -%}
    {%- elif 'sequence' in node -%}
        {%- do outcome.update(audience_sequence_condition(node, plan)) -%}
    {%- else -%}
        {%- do outcome.update(audience_event_condition(node, plan)) -%}
    {%- endif -%}
    {%- if explained is not none -%}
        {%- do explained.append({
            'path': path,
            'text': outcome.get('text') or audience_words(node),
            'value': outcome.get('value'),
            'sql': outcome.sql,
            'is_group': outcome.get('text') is not none,
        }) -%}
        {%- do explained.extend(outcome.get('inner') or []) -%}
    {%- endif -%}
    {{ return(outcome.sql) }}
{%- endmacro %}

{#- A condition as its author wrote it, in one line. -#}
{% macro audience_words(node) -%}
    {%- set words = [] -%}
    {%- for key, value in node.items() -%}
        {%- if value is mapping -%}
            {%- do words.append(key ~ ' (' ~ audience_words(value) ~ ')') -%}
        {%- elif value is sequence and value is not string -%}
            {%- set parts = [] -%}
            {%- for part in value -%}{%- do parts.append(audience_words(part) if part is mapping else (part | string)) -%}{%- endfor -%}
            {%- do words.append(key ~ ' ' ~ parts | join({'sequence': ', then ', 'between': ' and '}.get(key, ' or '))) -%}
        {%- else -%}
            {%- do words.append(key ~ ' ' ~ (value | string | lower if value is boolean else value)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(words | join(', ')) }}
{%- endmacro %}

{#- A condition in one line, groups too: what is inside them stands in brackets. -#}
{% macro audience_condition_words(node) -%}
    {%- if 'not' in node -%}
        {{ return('not (' ~ audience_condition_words(node['not']) ~ ')') }}
    {%- elif 'all' in node or 'any' in node -%}
        {%- set parts = [] -%}
        {%- for part in node.get('all') or node.get('any') -%}{%- do parts.append('(' ~ audience_condition_words(part) ~ ')') -%}{%- endfor -%}
        {{ return(parts | join(' and ' if 'all' in node else ' or ')) }}
    {%- endif -%}
    {{ return(audience_words(node)) }}
{%- endmacro %}
