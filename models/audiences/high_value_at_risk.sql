{%- set definition %}
name: High value at risk
description: Customers of whom much is expected and who may be about to leave; somebody calls them before an offer does.
owner: key customers
last_reviewed: 2026-01-15
channel: email
holdout_percent: 10
priority: {group: retention, rank: 3}
members:
  all:
    - {segment: value_tier, in: [top, high]}
    - {segment: churn_risk, in: [medium, high]}
{% endset -%}

{{ audience(definition) }}
