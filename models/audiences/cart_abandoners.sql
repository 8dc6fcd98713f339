{%- set definition %}
name: Cart abandoners
description: Something in the cart within the last week, and nothing bought since; a reminder.
owner: e-commerce
last_reviewed: 2026-01-15
channel: email
holdout_percent: 10
members:
  done: web_event
  where: {name: [cart_add, add_to_cart, checkout_start, begin_checkout]}
  last: 7 days
  not_followed_by: {done: purchase}
{% endset -%}

{{ audience(definition) }}
