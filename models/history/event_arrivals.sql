-- What came in when, and how far back it reaches. Each run looks at the loads it has not seen and at the versions these have superseded,
-- never at what was looked at before. Rows that came again as they were (a source that delivers whole files) reach nowhere.
-- Rows that waited in quarantine for their customer came in with the customer.
-- The first run looks at nothing: no day has been recorded yet that could have known less.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}

{%- set examined = examined_up_to() %}

with

{%- if examined is none %}

arrivals as (

    {%- for table in event_tables() %}
    select
        '{{ table }}' as table_name,
        max(loaded_at) as loaded_at,
        cast(null as date) as earliest_event_date
    from {{ ref('base_' ~ table) }}
    union all
    {%- endfor %}
    select
        'customers' as table_name,
        max(loaded_at) as loaded_at,
        cast(null as date) as earliest_event_date
    from {{ ref('base_customers') }}

),

{%- else %}

new_customer_rows as (

    select
        customer_id,
        loaded_at
    from {{ ref('base_customers') }}
    where loaded_at > {{ examined }}

),

-- Customers who were not there before: their earlier events wait in quarantine until then.
newcomers as (

    select
        new_customer_rows.customer_id,
        min(new_customer_rows.loaded_at) as loaded_at
    from new_customer_rows
    left join {{ ref('base_customers') }} as earlier
        on
            new_customer_rows.customer_id = earlier.customer_id
            and earlier.loaded_at <= {{ examined }}
    where earlier.customer_id is null
    group by new_customer_rows.customer_id

),

{%- for table, about in event_tables().items() %}
{%- set key = about.key | join(', ') %}

{{ table }}_loads as (

    select * from {{ ref('base_' ~ table) }}
    where
        loaded_at > {{ examined }}
        and row_status <> 'quarantined'

),

{%- if about.customer is not none %}

-- Rows that had waited, and stand for their key now.
{{ table }}_awaited as (

    select base.*
    from {{ ref('base_' ~ table) }} as base
    inner join newcomers on base.{{ about.customer }} = newcomers.customer_id
    where
        base.loaded_at <= {{ examined }}
        and base.row_status = 'used'

),

{%- endif %}

{{ table }}_keys as (

    {%- if about.customer is none %}
    select distinct {{ key }} from {{ table }}_loads
    {%- else %}
    select {{ key }} from {{ table }}_loads
    union
    select {{ key }} from {{ table }}_awaited
    {%- endif %}

),

{{ table }}_superseded as (

    select base.*
    from {{ ref('base_' ~ table) }} as base
    inner join {{ table }}_keys
        on
            {%- for column in about.key %}
            {{ 'and ' if not loop.first }}base.{{ column }} is not distinct from {{ table }}_keys.{{ column }}
            {%- endfor %}
    where
        base.loaded_at <= {{ examined }}
        and base.row_status = 'superseded'

),

{{ table }}_rows as (

    select * from {{ table }}_loads
    union all
    {%- if about.customer is not none %}
    select * from {{ table }}_awaited
    union all
    {%- endif %}
    select * from {{ table }}_superseded

),

{%- if about.customer is none %}

{{ table }}_counted as (

    select
        *,
        loaded_at as counts_from
    from {{ table }}_rows

),

{%- else %}

-- A row counts from the load that brought its customer, if that came later: nobody has known it before.
{{ table }}_counted as (

    select
        {{ table }}_rows.*,
        greatest({{ table }}_rows.loaded_at, newcomers.loaded_at) as counts_from
    from {{ table }}_rows
    left join newcomers on {{ table }}_rows.{{ about.customer }} = newcomers.customer_id

),

{%- endif %}

{{ table }}_followed as (

    select
        *,
        min(counts_from) over (
            partition by {{ key }}
            order by loaded_at, source_row, batch
            rows between 1 following and unbounded following
        ) as superseded_from
    from {{ table }}_counted

),

-- What was superseded before it counted, or in the same load, was never what the key said.
{{ table }}_versions as (

    select * from {{ table }}_followed
    where
        superseded_from is null
        or superseded_from > counts_from

),

-- The earliest day on which a version says something else than the version before it.
{{ table }}_reaches as (

    select
        counts_from,
        {%- for moment in about.moments %}
        case
            when
                lag(counts_from) over versions is null
                {%- for column in moment.columns %}
                or {{ column }} is distinct from lag({{ column }}) over versions
                {%- endfor %}
                then least({{ moment.date }}, lag({{ moment.date }}) over versions)
        end as reach_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ table }}_versions
    window versions as (
        partition by {{ key }}
        order by counts_from
    )

),

{%- endfor %}

arrivals as (

    {%- for table, about in event_tables().items() %}
    select
        '{{ table }}' as table_name,
        counts_from as loaded_at,
        {%- if about.moments | length == 1 %}
        reach_1 as earliest_event_date
        {%- else %}
        least({% for moment in about.moments %}reach_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}) as earliest_event_date
        {%- endif %}
    from {{ table }}_reaches
    where counts_from > {{ examined }}
    union all
    -- A load of nothing but rows in quarantine has been looked at as well: recorded days know it, so the next run begins after it.
    select
        '{{ table }}' as table_name,
        loaded_at,
        cast(null as date) as earliest_event_date
    from {{ ref('base_' ~ table) }}
    where loaded_at > {{ examined }}
    union all
    {%- endfor %}
    select
        'customers' as table_name,
        loaded_at,
        cast(null as date) as earliest_event_date
    from new_customer_rows

),

{%- endif %}

final as (

    select
        table_name,
        loaded_at,
        min(earliest_event_date) as earliest_event_date
    from arrivals
    where loaded_at is not null
    group by table_name, loaded_at

)

select * from final
