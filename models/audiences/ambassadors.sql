{%- set definition %}
name: Ambassadors
description: Customers who bring others; thanked first and asked for more.
owner: loyalty programme
last_reviewed: 2026-01-15
channel: email
members:
  {segment: advocacy, is: ambassador}
{% endset -%}

{{ audience(definition) }}
