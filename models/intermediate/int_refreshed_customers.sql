-- Whose rows a roll-up computes again in this run; what a roll-up depends on is said in one place, macros/incremental/roll_ups.sql.
-- When roll-ups are written whole (the first run, a full refresh, Spark), nobody is listed and nobody reads this.
{{ config(tags=['roll_up']) }}

{%- if execute and not run_refreshes() %}

select
    cast(null as {{ dbt.type_string() }}) as roll_up,
    cast(null as {{ dbt.type_string() }}) as customer_id
where false

{%- else %}

{%- set state = roll_up_state() %}
{%- set passed = days_passed(state) %}
{%- set raw_tables = [] %}
{%- for roll_up in roll_ups().values() %}
{%- for table in roll_up.raw_tables if table not in raw_tables %}
{%- do raw_tables.append(table) %}
{%- endfor %}
{%- endfor %}

-- Rows written since the settled run: new ones, corrected ones, and those that a correction supersedes, which may name another customer.
with written as (
    {%- for table in raw_tables %}
    {%- if not loop.first %}
    union all
    {%- endif %}
    {%- if table in ('products', 'campaigns') %}
    {%- set key, events = {'products': ('product_id', 'stg_transactions'), 'campaigns': ('campaign_id', 'stg_campaign_contacts')}[table] %}
    select
        '{{ table }}' as cause,
        events.customer_id
    from {{ ref('base_' ~ table) }} as changed
    inner join {{ ref(events) }} as events on changed.{{ key }} = events.{{ key }}
    where changed.written_in_run > {{ state['settled_run'] }}
    {%- else %}
    select
        '{{ table }}' as cause,
        customer_id
    from {{ ref('base_' ~ table) }}
    where written_in_run > {{ state['settled_run'] }}
    {%- endif %}
    {%- endfor %}

),

-- Events of days that the edge of a window has passed over.
{%- set events = [] %}
{%- for passed_by_one in passed.values() %}
{%- for days in passed_by_one if days not in events %}
{%- do events.append(days) %}
{%- endfor %}
{%- endfor %}
moved as (

    select
        cause,
        customer_id
    from written
    where false
    {%- for event, first_day, end_day in events %}
    {%- set table, event_date = event.split('.') %}
    union all
    select
        '{{ event }} {{ first_day }} {{ end_day }}' as cause,
        customer_id
    from {{ ref('stg_' ~ table) }}
    where {{ event_date }} >= cast('{{ first_day }}' as date) and {{ event_date }} < cast('{{ end_day }}' as date)
    {%- endfor %}

),

causes as (

    select distinct
        cause,
        customer_id
    from written
    where customer_id is not null
    union all
    select distinct
        cause,
        customer_id
    from moved

),

concerned as (
    {%- for name, roll_up in roll_ups().items() %}
    {%- set outer = loop %}
    {%- for table in roll_up.raw_tables %}
    {%- if not (outer.first and loop.first) %}
    union all
    {%- endif %}
    select
        '{{ name }}' as roll_up,
        '{{ table }}' as cause
    {%- endfor %}
    {%- for event, first_day, end_day in passed[name] %}
    union all
    select
        '{{ name }}' as roll_up,
        '{{ event }} {{ first_day }} {{ end_day }}' as cause
    {%- endfor %}
    {%- endfor %}

),

final as (

    select distinct
        concerned.roll_up,
        causes.customer_id
    from causes
    inner join concerned on causes.cause = concerned.cause

)

select * from final

{%- endif %}
