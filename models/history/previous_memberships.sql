-- Where every customer was on the recorded day before the day described, and since when: what the day is compared with.
{{ config(materialized='table') }}

{{ memberships_recorded_on(recorded_day_before()) }}
