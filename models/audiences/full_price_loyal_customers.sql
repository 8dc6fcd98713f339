{%- set definition %}
name: Loyal customers who never use promotions
description: They come back at full price; do not discount them.
owner: pricing
last_reviewed: 2026-01-15
channel: email
members:
  all:
    - {segment: loyalty_status, is: loyal}
    - {segment: promotion_affinity, is: full_price}
    - {not_done: purchase, where: {has_coupon: true}, last: 1 year}
{% endset -%}

{{ audience(definition) }}
