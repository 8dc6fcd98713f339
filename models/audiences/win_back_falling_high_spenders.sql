{%- set definition %}
name: Win back falling high spenders
description: Customers who spent much and spend ever less, but still buy; a personal offer before they are gone.
owner: retention marketing
last_reviewed: 2026-01-15
channel: email
holdout_percent: 10
priority: {group: retention, rank: 1}
members:
  all:
    - {segment: value_trend, is: declining_from_high}
    # Whoever bought in the last two weeks is not asked to come back.
    - {not_done: purchase, last: 14 days}
{% endset -%}

{{ audience(definition) }}
