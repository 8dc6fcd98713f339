{#-
    Time in a definition. Every boundary is a literal that is computed here, so that engines have nothing to disagree about:
    seconds, minutes and hours are counted back from the first moment of the day described, to the second;
    days, weeks, months and years are calendar days of the business timezone.
-#}

{#- The day described, as a datetime of its midnight (without a zone). -#}
{% macro audience_day() -%}
    {{ return(modules.datetime.datetime.strptime(var('as_of_date') | string, '%Y-%m-%d')) }}
{%- endmacro %}

{#-
    The first moment of the day described, in UTC. On a day whose midnight the clock leaves out or shows twice,
    the earlier of the two readings that is not still yesterday.
-#}
{% macro audience_day_begins_at() -%}
    {%- set zone = modules.pytz.timezone(var('business_timezone')) -%}
    {%- set begins = [] -%}
    {%- for is_summer in [true, false] -%}
        {%- set reading = zone.localize(audience_day(), is_dst=is_summer).astimezone(modules.pytz.utc) -%}
        {%- if reading.astimezone(zone).date() >= audience_day().date() -%}
            {%- do begins.append(reading.replace(tzinfo=none)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(begins | min) }}
{%- endmacro %}

{#- '36 hours' as {count, unit, is_exact}: exact units are counted in seconds, the others in days of the calendar. -#}
{% macro audience_duration(text) -%}
    {%- set words = text.split() -%}
    {%- set unit = words[1].rstrip('s') -%}
    {{ return({'count': words[0] | int, 'unit': unit, 'is_exact': unit in ['second', 'minute', 'hour']}) }}
{%- endmacro %}

{#- An exact duration in seconds. -#}
{% macro audience_seconds(duration) -%}
    {{ return(duration.count * {'second': 1, 'minute': 60, 'hour': 3600}[duration.unit]) }}
{%- endmacro %}

{#- A duration in days: of days and weeks only, months differ. -#}
{% macro audience_days(duration) -%}
    {{ return(duration.count * {'day': 1, 'week': 7}[duration.unit]) }}
{%- endmacro %}

{#- The datetime so long before the day described. A day that a month does not have becomes its last one. -#}
{% macro audience_time_before(text) -%}
    {%- set duration = audience_duration(text) -%}
    {%- set day = audience_day() -%}
    {%- if duration.is_exact -%}
        {{ return(audience_day_begins_at() - modules.datetime.timedelta(seconds=audience_seconds(duration))) }}
    {%- elif duration.unit in ['day', 'week'] -%}
        {{ return(day - modules.datetime.timedelta(days=audience_days(duration))) }}
    {%- endif -%}
    {%- set months = duration.count * (12 if duration.unit == 'year' else 1) -%}
    {%- set month_number = day.year * 12 + day.month - 1 - months -%}
    {%- set first = modules.datetime.datetime(month_number // 12, month_number % 12 + 1, 1) -%}
    {%- set next_first = modules.datetime.datetime((month_number + 1) // 12, (month_number + 1) % 12 + 1, 1) -%}
    {%- set last_day = (next_first - modules.datetime.timedelta(days=1)).day -%}
    {{ return(first.replace(day=[day.day, last_day] | min)) }}
{%- endmacro %}

{#- A datetime as a timestamp literal, to the second. -#}
{% macro audience_timestamp(moment) -%}
    {{ return("cast('" ~ moment.strftime('%Y-%m-%d %H:%M:%S') ~ "' as timestamp)") }}
{%- endmacro %}

{#- A date or datetime as a date literal. -#}
{% macro audience_date(day) -%}
    {{ return("cast('" ~ day.strftime('%Y-%m-%d') ~ "' as date)") }}
{%- endmacro %}

{#-
    The window that the keys last, from, until, since and before give, as conditions on a timestamp and its day. Start in, end out.
    Result: {conditions, first_day}; first_day is a date before which nothing can match, none where there is no such day.
-#}
{% macro audience_window(node, at, day) -%}
    {%- set conditions = [] -%}
    {%- set first_days = [] -%}
    {%- set starts = node.get('last') or node.get('from') -%}
    {%- if starts -%}
        {%- set start = audience_time_before(starts | replace(' ago', '')) -%}
        {%- if audience_duration(starts).is_exact -%}
            {%- do conditions.append(at ~ ' >= ' ~ audience_timestamp(start)) -%}
            {#- The day of the start, in any zone of the world. -#}
            {%- do first_days.append((start - modules.datetime.timedelta(days=1)).date()) -%}
        {%- else -%}
            {%- do conditions.append(day ~ ' >= ' ~ audience_date(start)) -%}
            {%- do first_days.append(start.date()) -%}
        {%- endif -%}
    {%- endif -%}
    {%- if node.get('until') -%}
        {%- set end = audience_time_before(node['until'] | replace(' ago', '')) -%}
        {%- if audience_duration(node['until']).is_exact -%}
            {%- do conditions.append(at ~ ' < ' ~ audience_timestamp(end)) -%}
        {%- else -%}
            {%- do conditions.append(day ~ ' < ' ~ audience_date(end)) -%}
        {%- endif -%}
    {%- endif -%}
    {%- if node.get('since') -%}
        {%- do conditions.append(day ~ ' >= ' ~ audience_date(node['since'])) -%}
        {%- do first_days.append(node['since']) -%}
    {%- endif -%}
    {%- if node.get('before') -%}
        {%- do conditions.append(day ~ ' < ' ~ audience_date(node['before'])) -%}
    {%- endif -%}
    {{ return({'conditions': conditions, 'first_day': first_days | max if first_days else none}) }}
{%- endmacro %}

{#- Microseconds since 1970 of a timestamp, as a whole number: differences of times, and frames of windows over them. -#}
{% macro microseconds(timestamp_column) -%}
    {{ return(adapter.dispatch('microseconds', 'customer_segments')(timestamp_column)) }}
{%- endmacro %}

{% macro default__microseconds(timestamp_column) -%}
    epoch_us({{ timestamp_column }})
{%- endmacro %}

{% macro spark__microseconds(timestamp_column) -%}
    unix_micros({{ timestamp_column }})
{%- endmacro %}

{#- The minute of the day, 0 to 1439, that the clock showed in the business timezone at a UTC timestamp. -#}
{% macro business_minute(timestamp_column) -%}
    {{ return(adapter.dispatch('business_minute', 'customer_segments')(timestamp_column)) }}
{%- endmacro %}

{#- The clock is asked once: hours and minutes apart would ask it twice, and that is what this costs. -#}
{% macro default__business_minute(timestamp_column) -%}
    {%- set local = "timezone('" ~ var('business_timezone') ~ "', timezone('UTC', " ~ timestamp_column ~ '))' -%}
    cast(epoch_us(cast({{ local }} as time)) // 60000000 as integer)
{%- endmacro %}

{% macro spark__business_minute(timestamp_column) -%}
    {%- set local = 'from_utc_timestamp(' ~ timestamp_column ~ ", '" ~ var('business_timezone') ~ "')" -%}
    cast(hour({{ local }}) * 60 + minute({{ local }}) as integer)
{%- endmacro %}
