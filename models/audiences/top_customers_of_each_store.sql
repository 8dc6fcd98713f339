{%- set definition %}
name: Top customers of each store
description: The twenty who spent most within a year among those whose home store it is; the store invites them.
owner: store operations
last_reviewed: 2026-01-15
channel: post
members:
  all:
    - {done: purchase, last: 1 year}
    - {feature: net_amount_365d, top: 20, within: home_store_id}
{% endset -%}

{{ audience(definition) }}
