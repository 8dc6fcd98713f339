with days as (

    select * from {{ ref('segment_days') }}
    where as_of_date <= {{ as_of_date() }}

),

flows as (

    select * from {{ ref('segment_flows') }}
    where
        segmentation is not null
        and as_of_date <= {{ as_of_date() }}

),

entered as (

    select
        as_of_date,
        segmentation,
        segment_after as segment,
        cast(sum(customers) as bigint) as customers
    from flows
    where segment_after is not null
    group by as_of_date, segmentation, segment_after

),

exited as (

    select
        as_of_date,
        segmentation,
        segment_before as segment,
        cast(sum(customers) as bigint) as customers
    from flows
    where segment_before is not null
    group by as_of_date, segmentation, segment_before

),

-- A segment named by the data has no row on the day it became empty, but those who left it are counted all the same.
spine as (

    select
        as_of_date,
        segmentation,
        segment
    from days
    union
    select
        as_of_date,
        segmentation,
        segment
    from exited

),

final as (

    select
        spine.as_of_date,
        spine.segmentation,
        spine.segment,
        coalesce(days.customers, 0) as customers,
        coalesce(days.share, 0) as share, -- noqa: RF04
        cast(coalesce(days.revenue, 0) as decimal(18, 2)) as revenue,
        coalesce(entered.customers, 0) as entered,
        coalesce(exited.customers, 0) as exited
    from spine
    left join days
        on
            spine.as_of_date = days.as_of_date
            and spine.segmentation = days.segmentation
            and spine.segment = days.segment
    left join entered
        on
            spine.as_of_date = entered.as_of_date
            and spine.segmentation = entered.segmentation
            and spine.segment = entered.segment
    left join exited
        on
            spine.as_of_date = exited.as_of_date
            and spine.segmentation = exited.segmentation
            and spine.segment = exited.segment

)

select * from final
