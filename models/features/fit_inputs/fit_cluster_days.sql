-- A view, like all inputs of fits: they are read on the days on which something is fitted.
{{ config(materialized='view') }}

{#- More than any shop has in its database: a year that nobody bought in is no milestone. -#}
{%- set years_back = 40 %}

with customer_days as (

    select * from {{ ref('int_customer_days') }}

),

history as (

    select min(order_date) as first_purchase_date
    from customer_days
    where purchase_orders > 0

),

fit_days as (
    {{ fit_days_query() }}
),

-- The first fit day of every year; in the year of the first purchase, and in the one after it, of every quarter.
milestones as (
    {% for year in range(years_back) %}
    select {{ first_fit_day_of('year', dbt.dateadd('year', -year, as_of_date())) }} as milestone
    union all
    {%- endfor %}
    {% for quarter in range(1, 8) %}
    select {{ first_fit_day_of('quarter', dbt.dateadd('month', 3 * quarter, 'first_purchase_date')) }} as milestone
    from history
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

final as (

    select
        fit_days.fit_day as counted_until,
        false as is_milestone
    from fit_days
    union
    select
        milestones.milestone as counted_until,
        true as is_milestone
    from milestones
    inner join history on milestones.milestone > history.first_purchase_date
    where milestones.milestone <= {{ as_of_date() }}

)

select * from final
