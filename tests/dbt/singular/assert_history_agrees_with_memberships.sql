-- Why: the log is read by itself a year from now. What it says about the day described must be what the segment tables say today:
-- the same customers in the same segments. Who came into a segment less who left it, added up over the log, is who is in it.
-- Compared are numbers and fingerprints of customers (checksum), because the log holds millions of rows.
with logged as (

    select
        segmentation,
        segment_after as segment,
        count(*) as customers,
        {{ checksum('customer_id') }} as fingerprint
    from {{ ref('segment_membership_changes') }}
    where
        segment_after is not null
        and as_of_date <= {{ as_of_date() }}
    group by segmentation, segment_after
    union all
    select
        segmentation,
        segment_before as segment,
        -count(*) as customers,
        -{{ checksum('customer_id') }} as fingerprint
    from {{ ref('segment_membership_changes') }}
    where
        segment_before is not null
        and as_of_date <= {{ as_of_date() }}
    group by segmentation, segment_before

),

memberships as (

    {% for segmentation in segmentations() %}
    select
        '{{ segmentation }}' as segmentation,
        segment,
        -count(*) as customers,
        -{{ checksum('customer_id') }} as fingerprint
    from {{ ref(segmentation ~ '_segments') }}
    where segment is not null
    group by segment
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

compared as (

    select * from logged
    union all
    select * from memberships

)

select
    segmentation,
    segment,
    sum(customers) as customers_too_many_in_log,
    sum(fingerprint) as difference_of_fingerprints
from compared
group by segmentation, segment
having
    sum(customers) <> 0
    or sum(fingerprint) <> 0
