{%- set definition %}
name: Lapsed customers worth re-engaging
description: Silent for longer than their own rhythm explains, and worth a voucher by what they used to spend.
owner: retention marketing
last_reviewed: 2026-01-15
channel: email
holdout_percent: 10
priority: {group: retention, rank: 2}
members:
  all:
    - {segment: loyalty_status, in: [lapsed, lost]}
    - {done: purchase, sum: {of: amount, top_percent: 50}}
    # Silence of many years is an answer.
    - {done: purchase, last: 2 years}
{% endset -%}

{{ audience(definition) }}
