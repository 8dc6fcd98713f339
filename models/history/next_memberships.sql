-- Where every customer is on the first recorded day after the day described, and since when, as the log has it before this run: there the
-- changes of that day have to lead. Nobody where there is no such day, as on most nights.
{{ config(materialized='table') }}

{{ memberships_recorded_on(recorded_day_after()) }}
