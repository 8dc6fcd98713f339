{%- set definition %}
name: Top customers of each store
description: The twenty of whom each store may expect most within the next year; the store invites them.
owner: store operations
last_reviewed: 2026-01-15
channel: post
members:
  all:
    - {done: purchase, last: 1 year}
    - {feature: customer_lifetime_value, top: 20, within: home_store_id}
{% endset -%}

{{ audience(definition) }}
