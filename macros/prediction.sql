{#- On the calendar of fits (variable fit_every), the latest day up to the one described, or some steps before it; orchestration/prediction/calendar.py computes the same. -#}
{% macro fit_day(steps_back=0) -%}
    {%- set every = var('fit_every') -%}
    {%- if every == 'month' -%}
        {{ month_start_before(as_of_date(), steps_back) }}
    {%- elif every == 'week' -%}
        {{ days_before(dbt.safe_cast(dbt.date_trunc('week', as_of_date()), 'date'), 7 * steps_back) }}
    {%- elif every == 'day' -%}
        {{ days_before(as_of_date(), steps_back) }}
    {%- else -%}
        {{ exceptions.raise_compiler_error("The variable fit_every is '" ~ every ~ "'. Set it to month, week or day, in source.yml under vars.") }}
    {%- endif -%}
{%- endmacro %}

{#- The fit day of the day described and the three before it, one row each: as far back as a fit that fails is made up for (STEPS_BACK of orchestration/prediction/calendar.py). -#}
{% macro fit_days_query() -%}
    {%- for steps_back in range(4) %}
    select {{ fit_day(steps_back) }} as fit_day
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#-
    The settings that fits in force were made with, as a list in SQL: parameters in another unit of time, or of another window, are another model's.
    Models without such settings have an empty text.
-#}
{% macro settings_in_force() -%}
    ('{{ var("lifetime_value_time_unit") }}', {{ behaviour_cluster_fitted_with() }}, '')
{%- endmacro %}

{#- Days of one unit of time in which the purchase models count (variable lifetime_value_time_unit). -#}
{% macro days_of_time_unit() -%}
    {%- set days = {'day': 1, 'week': 7} -%}
    {%- if var('lifetime_value_time_unit') not in days -%}
        {{ exceptions.raise_compiler_error(
            "The variable lifetime_value_time_unit is '" ~ var('lifetime_value_time_unit') ~ "'. Set it to day or to week, in source.yml under vars."
        ) }}
    {%- endif -%}
    {{ days[var('lifetime_value_time_unit')] }}
{%- endmacro %}

{#-
    What the literature on lifetime value knows of a customer, from the rows of int_customer_days (aliased `customer_days`) that a condition keeps: purchase days, the first
    and the last of them, and what the days after the first brought. Used with `group by` a customer; the names get a prefix.
    One purchase per day with a purchase, of zero amount as well. A return makes no purchase; what it takes back is taken off what the
    days after the first brought, on the day of the return, whatever it undoes.
-#}
{% macro purchase_summary(condition, prefix='') %}
        count(*) filter (where customer_days.purchase_orders > 0 and {{ condition }}) as {{ prefix }}purchase_days,
        min(customer_days.order_date) filter (where customer_days.purchase_orders > 0 and {{ condition }}) as {{ prefix }}first_purchase_date,
        max(customer_days.order_date) filter (where customer_days.purchase_orders > 0 and {{ condition }}) as {{ prefix }}last_purchase_date,
        cast(
            coalesce(sum(customer_days.net_amount) filter (where (customer_days.purchase_orders = 0 or customer_days.gap_days is not null) and {{ condition }}), 0)
            as decimal(18, 2)
        ) as {{ prefix }}repeat_amount
{%- endmacro %}
