-- A view, like all inputs of fits: they are read on the days on which something is fitted.
{{ config(materialized='view') }}

{%- set steps_back = 3 %}

with fit_days as (
    {% for step in range(steps_back + 1) %}
    select {{ fit_day(step) }} as fit_day
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

final as (

    select
        fit_day,
        'fit' as found_in,
        fit_day as counted_until
    from fit_days
    {%- for period in ['quarter', 'year'] %}
    union all
    select
        fit_day,
        '{{ period }}' as found_in,
        {{ cluster_day('fit_day', period) }} as counted_until
    from fit_days
    {%- endfor %}

)

select * from final
