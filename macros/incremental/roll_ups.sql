{#-
    What every roll-up depends on, in one place: the whole list of what makes a night compute a customer again.

    raw_tables  the raw tables that its rows are made of, through other models included. A customer is computed again when a row of one of them
                that names the customer was written since the settled run: for products those who bought it, for campaigns those it was sent to.
    windows     for each event date, where the windows of the roll-up begin: days before the day described (numbers, or thresholds), or
                the start of the month some months before it. 0 is the day described itself: an event counts from the day after it on. A window that
                ends before the day described has two edges, and both are listed. When the day described moves, a customer is computed
                again who has an event on a day that an edge passes over.

    A roll-up holds nothing that depends on other customers or changes with the day alone (recency): that is computed in features, every night.
    A roll-up that reads another one repeats its raw tables and windows; assert_roll_ups_list_what_they_read holds this list against the models.
-#}
{% macro roll_ups() -%}
    {%- set kpi_period = days_of('kpi_period_days') -%}
    {%- set trend_window = days_of('trend_window_days') -%}
    {%- set trend_year = days_of('trend_year_days') -%}
    {%- set recent_contacts = days_of('campaign_response_recent_days') -%}
    {%- set response_window = days_of('campaign_response_window_days') -%}
    {%- set preference_window = days_of('contact_preference_window_days') -%}
    {%- set channel_window = days_of('channel_preference_window_days') -%}
    {%- set satisfaction_window = days_of('advocacy_satisfaction_window_days') -%}
    {{ return({
        'int_orders': {
            'raw_tables': ['transactions'],
            'windows': {'transactions.order_date': [0]},
        },
        'int_customer_days': {
            'raw_tables': ['transactions'],
            'windows': {'transactions.order_date': [0]},
        },
        'int_customer_rhythm': {
            'raw_tables': ['transactions'],
            'windows': {'transactions.order_date': [0]},
        },
        'int_customer_purchases': {
            'raw_tables': ['transactions'],
            'windows': {'transactions.order_date': [0, days_of('lifetime_value_trend_days')]},
        },
        'int_customer_long_gaps': {
            'raw_tables': ['transactions'],
            'windows': {'transactions.order_date': [0]},
        },
        'int_customer_order_totals': {
            'raw_tables': ['transactions'],
            'windows': {'transactions.order_date': [0, 30, 90, 365, kpi_period, '2 * ' ~ kpi_period]},
        },
        'int_customer_trend': {
            'raw_tables': ['transactions'],
            'windows': {'transactions.order_date': [0, trend_window, '2 * ' ~ trend_window, trend_year, trend_year ~ ' + ' ~ trend_window]},
        },
        'int_customer_seasons': {
            'raw_tables': ['transactions'],
            'windows': {
                'transactions.order_date':
                    [0, {'months': days_of('purchase_rhythm_season_months')}]
                    + edges_of_periods('purchase_rhythm_period_days', 'purchase_rhythm_periods'),
            },
        },
        'int_customer_stores': {
            'raw_tables': ['transactions'],
            'windows': {'transactions.order_date': [0, days_of('geographic_home_store_window_days')]},
        },
        'int_customer_payment_methods': {
            'raw_tables': ['transactions'],
            'windows': {'transactions.order_date': [0, days_of('payment_preference_window_days')]},
        },
        'int_customer_holidays': {
            'raw_tables': ['transactions', 'customers'],
            'windows': {'transactions.order_date': [0, days_of('holiday_buying_window_days')]},
        },
        'int_customer_categories': {
            'raw_tables': ['transactions', 'products'],
            'windows': {'transactions.order_date': [0]},
        },
        'int_customer_category_choices': {
            'raw_tables': ['transactions', 'products'],
            'windows': {'transactions.order_date': [0, days_of('category_affinity_window_days')]},
        },
        'int_customer_behaviour': {
            'raw_tables': ['transactions'],
            'windows': {'transactions.order_date': [0, var('behaviour_cluster_window_days')]},
        },
        'int_customer_need_lines': {
            'raw_tables': ['transactions', 'products'],
            'windows': {'transactions.order_date': [0, days_of('needs_purchase_window_days')]},
        },
        'int_customer_web_days': {
            'raw_tables': ['web_events'],
            'windows': {'web_events.occurred_date': [0]},
        },
        'int_customer_web': {
            'raw_tables': ['web_events'],
            'windows': {'web_events.occurred_date': [0, 90]},
        },
        'int_customer_channels': {
            'raw_tables': ['transactions', 'web_events'],
            'windows': {'transactions.order_date': [0, channel_window], 'web_events.occurred_date': [0, channel_window]},
        },
        'int_customer_contacts': {
            'raw_tables': ['campaign_contacts', 'campaigns', 'coupon_redemptions', 'transactions'],
            'windows': {
                'campaign_contacts.sent_date': [0, response_window, preference_window, recent_contacts, '2 * ' ~ recent_contacts],
                'campaign_contacts.delivered_date': [0],
                'campaign_contacts.opened_date': [0],
                'campaign_contacts.clicked_date': [0],
                'campaign_contacts.unsubscribed_date': [0],
                'coupon_redemptions.redeemed_date': [0],
                'transactions.order_date': [0],
            },
        },
        'int_customer_campaigns': {
            'raw_tables': ['campaign_contacts', 'coupon_redemptions', 'transactions'],
            'windows': {
                'campaign_contacts.sent_date': [0, kpi_period],
                'campaign_contacts.clicked_date': [0],
                'coupon_redemptions.redeemed_date': [0],
                'transactions.order_date': [0],
            },
        },
        'int_contact_answer_times': {
            'raw_tables': ['campaign_contacts'],
            'windows': {
                'campaign_contacts.sent_date': [0, preference_window],
                'campaign_contacts.opened_date': [0],
                'campaign_contacts.clicked_date': [0],
            },
        },
        'int_customer_redemptions': {
            'raw_tables': ['coupon_redemptions'],
            'windows': {'coupon_redemptions.redeemed_date': [0, response_window]},
        },
        'int_customer_permissions': {
            'raw_tables': ['consents'],
            'windows': {'consents.changed_date': [0]},
        },
        'int_customer_programme': {
            'raw_tables': ['loyalty_ledger'],
            'windows': {
                'loyalty_ledger.occurred_date': [
                    0, days_of('programme_engagement_month_days'), days_of('programme_engagement_redemption_days'), kpi_period
                ],
            },
        },
        'int_customer_support': {
            'raw_tables': ['support_tickets'],
            'windows': {
                'support_tickets.opened_date': [0, 365, satisfaction_window, kpi_period],
                'support_tickets.first_reply_date': [0],
                'support_tickets.customer_replied_date': [0],
                'support_tickets.closed_date': [0, satisfaction_window],
            },
        },
    }) }}
{%- endmacro %}

{#- A threshold that is a whole number (of days, mostly), as an integer expression. -#}
{% macro days_of(name) -%}
    cast({{ threshold(name) }} as integer)
{%- endmacro %}

{#- The edges of equal periods that are counted back from the day described: one period, two periods, up to the number of periods. -#}
{% macro edges_of_periods(period_days, periods) -%}
    {%- set edges = [] -%}
    {%- set is_known = execute and flags.WHICH in ('build', 'run', 'test') -%}
    {%- set last = run_query('select ' ~ days_of(periods)).rows[0][0] if is_known else 0 -%}
    {%- for number in range(1, last + 1) -%}
        {%- do edges.append(number ~ ' * ' ~ days_of(period_days)) -%}
    {%- endfor -%}
    {{ return(edges) }}
{%- endmacro %}

{#- The first day of a window of `roll_ups()` for a day described. -#}
{% macro window_start(day, window) -%}
    {%- if window is mapping -%}
        {{ month_start_before(day, window['months']) }}
    {%- else -%}
        {{ days_before(day, window) }}
    {%- endif -%}
{%- endmacro %}

{#-
    The days that edges of windows pass over while the day described moves from one of the state's days to the other: for each roll-up a list of
    [event, from, before], dates as texts; nothing while it stands still. Worked out before the query is written, so that engines see plain
    dates and skip what lies outside of them. While dbt parses, every event without dates.
-#}
{% macro days_passed(state) -%}
    {%- set windows_of = [] -%}
    {%- for name, roll_up in roll_ups().items() -%}
        {%- for event, windows in roll_up.windows.items() -%}
            {%- for window in windows -%}
                {%- do windows_of.append([name, event, window]) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set starts = [] -%}
    {%- if execute -%}
        {%- for day in [state['earliest_as_of_date'], state['latest_as_of_date']] -%}
            {%- for name, event, window in windows_of -%}
                {%- do starts.append(window_start("cast('" ~ day ~ "' as date)", window)) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- set starts = run_query('select ' ~ starts | join(', ')).rows[0] -%}
    {%- endif -%}
    {%- set passed = {} -%}
    {%- for name, event, window in windows_of -%}
        {%- set days = [event, starts[loop.index0] | string, starts[loop.index0 + windows_of | length] | string] -%}
        {%- do passed.setdefault(name, []) -%}
        {%- if (not execute or days[1] != days[2]) and days not in passed[name] -%}
            {%- do passed[name].append(days) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(passed) }}
{%- endmacro %}

{#- The configuration of a roll-up; dbt_project.yml cannot give it, because other tables lie in the same folder. On Spark roll-ups are written whole. -#}
{% macro config_roll_up() -%}
    {{ config(
        materialized='table' if target.type == 'spark' else 'incremental',
        incremental_strategy='by_customer',
        on_schema_change='fail',
        tags=['roll_up']
    ) }}
{%- endmacro %}

{#-
    The condition that keeps a roll-up's inputs to the customers that are computed again; everybody's when the roll-up is written whole.
    Usage, in an import CTE: `where {{ is_refreshed() }}`. Here the condition may name another column than customer_id.
-#}
{% macro is_refreshed(column='customer_id') -%}
    {%- if not execute or is_refresh() -%}
        {{ column }} in (select customer_id from {{ ref('int_refreshed_customers') }} where roll_up = '{{ model.name }}')
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- The order lines that a roll-up reads: all of them, or in a refresh those of the customers that any roll-up of lines computes again. -#}
{% macro order_lines_to_read() -%}
    {%- if not execute -%}
        {%- do ref('int_order_lines') -%}
    {%- endif -%}
    {%- if not execute or is_refresh() -%}
        {{ ref('int_refreshed_order_lines') }}
    {%- else -%}
        {{ ref('int_order_lines') }}
    {%- endif -%}
{%- endmacro %}

{#- The roll-ups that are made straight from order lines, as a list in SQL. -#}
{% macro roll_ups_of_lines() -%}
    ('int_orders', 'int_customer_categories', 'int_customer_category_choices', 'int_customer_behaviour', 'int_customer_need_lines')
{%- endmacro %}

{#-
    How dbt writes an existing roll-up: the rows of all listed customers go, and the fresh ones come; of a customer who has no rows any more,
    nothing stays. Before any run has settled the roll-up is written whole, whatever it held. Delete and insert, because MERGE takes ten times the CPU.
-#}
{% macro get_incremental_by_customer_sql(arguments) -%}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arguments['target_relation'] }}
    where {{ is_refreshed() }};
    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }}
{%- endmacro %}
