-- Why: opening + entered - exited = closing, against the recorded day before, for every segment. A customer who is counted but never came
-- in, or left but is still counted, means that the log and the sizes tell two stories.
with sizes as (

    select * from {{ ref('segment_sizes') }}

),

-- A segment that was defined only later had nobody before.
days as (

    select
        as_of_date,
        lag(as_of_date) over (order by as_of_date) as day_before
    from (select distinct as_of_date from sizes) as recorded

)

select
    sizes.as_of_date,
    sizes.segmentation,
    sizes.segment,
    coalesce(opening.customers, 0) as opening,
    sizes.entered,
    sizes.exited,
    sizes.customers as closing
from sizes
inner join days on sizes.as_of_date = days.as_of_date
left join sizes as opening
    on
        days.day_before = opening.as_of_date
        and sizes.segmentation = opening.segmentation
        and sizes.segment = opening.segment
where coalesce(opening.customers, 0) + sizes.entered - sizes.exited <> sizes.customers
