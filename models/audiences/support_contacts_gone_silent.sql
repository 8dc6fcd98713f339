{%- set definition %}
name: Support contacts gone silent
description: Support has answered them, and since then they have neither written nor visited nor bought; a call back.
owner: customer service
last_reviewed: 2026-01-15
channel: email
purpose: marketing
members:
  {feature: days_since_unreturned_reply, between: [3, 60]}
{% endset -%}

{{ audience(definition) }}
