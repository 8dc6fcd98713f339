-- Why: a segmentation holds every customer once, so on each day its sizes must sum to the same number for every segmentation,
-- and on the day described to the customers that exist. A segment missing in the definitions would drop its members here.
with sums as (

    select
        as_of_date,
        segmentation,
        sum(customers) as customers,
        sum(share) as total_share
    from {{ ref('segment_sizes') }}
    where
        as_of_date = {{ as_of_date() }}
        -- One that is no more is left by everybody on its last day.
        and segmentation in ({{ segmentation_names() }})
    group by as_of_date, segmentation

),

customers as (

    select count(*) as customers
    from {{ ref('int_customers') }}

)

select
    sums.segmentation,
    sums.customers,
    customers.customers as expected_customers
from sums
cross join customers
where
    sums.customers <> customers.customers
    or (customers.customers > 0 and abs(sums.total_share - 1) > 0.000001)
