{%- set definition %}
name: Birthdays in the next 7 days
description: Members whose birthday is within a week; a greeting in time.
owner: loyalty programme
last_reviewed: 2026-01-15
channel: email
members:
  all:
    - {feature: days_until_birthday, at_most: 6}
    - {feature: is_member, is: true}
{% endset -%}

{{ audience(definition) }}
