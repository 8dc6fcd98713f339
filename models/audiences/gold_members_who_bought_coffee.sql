{%- set definition %}
name: Gold members of a region who bought coffee
description: Members of the upper tiers in the south who bought coffee this half-year; an invitation to a tasting.
owner: loyalty programme
last_reviewed: 2026-01-15
channel: email
members:
  all:
    - {feature: loyalty_tier, in: [gold, platinum]}
    - {feature: region, in: [south, South, Bavaria, Baden-Württemberg]}
    - {done: item_purchase, where: {category: [coffee, drinks]}, last: 6 months}
{% endset -%}

{{ audience(definition) }}
