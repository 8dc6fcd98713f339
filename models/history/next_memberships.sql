-- Where every customer is on the first recorded day after the day described, and since when, as far as the log says before this run: what changes
-- of that day have to lead to. Nobody where there is no such day, as on most nights.
{{ config(materialized='table') }}

{{ memberships_recorded_on(recorded_day_after()) }}
