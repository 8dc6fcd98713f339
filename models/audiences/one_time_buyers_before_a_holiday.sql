{%- set definition %}
name: One-time buyers before a holiday
description: Bought a single time, for a holiday or at this time of last year; reminded when the season comes round.
owner: retention marketing
last_reviewed: 2026-01-15
channel: email
holdout_percent: 10
members:
  all:
    - {done: purchase, count: {is: 1}}
    - any:
        - {segment: holiday_buying, in: [holiday_only, holiday_heavy]}
        - {done: purchase, from: 13 months ago, until: 10 months ago}
{% endset -%}

{{ audience(definition) }}
