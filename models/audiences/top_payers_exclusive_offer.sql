{%- set definition %}
name: Top payers for an exclusive offer
description: The tenth who spent most within a year; an invitation that money cannot buy, no discount.
owner: key customers
last_reviewed: 2026-01-15
channel: post
members:
  all:
    - {done: purchase, last: 1 year, sum: {of: amount, top_percent: 10}}
    - {feature: returned_share, below: 0.5}
{% endset -%}

{{ audience(definition) }}
