-- Why: corrections record days again because recorded_days says so. A day that the log of changes does not have was never recorded, and the
-- day described must be among both.
with recorded as (

    select as_of_date from {{ ref('recorded_days') }}
    where coalesce(is_finished, true)

),

logged as (

    select as_of_date from {{ ref('segment_membership_changes') }}
    where customer_id is null

),

described as (

    select {{ as_of_date() }} as as_of_date

)

select recorded.as_of_date
from recorded
left join logged on recorded.as_of_date = logged.as_of_date
where logged.as_of_date is null

union all

select described.as_of_date
from described
left join recorded on described.as_of_date = recorded.as_of_date
where recorded.as_of_date is null
