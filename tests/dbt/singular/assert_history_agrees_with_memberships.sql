-- Why: the log is read by itself a year from now. What it says about the day described must be what the segment tables say today:
-- the same customers in the same segments, both ways.
with history as (

    select
        customer_id,
        segmentation,
        segment
    from {{ ref('segment_membership_history') }}
    where valid_to is null

),

memberships as (

    {% for segmentation in segmentations() %}
    select
        customer_id,
        '{{ segmentation }}' as segmentation,
        segment
    from {{ ref(segmentation ~ '_segments') }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

)

select
    coalesce(history.customer_id, memberships.customer_id) as customer_id,
    coalesce(history.segmentation, memberships.segmentation) as segmentation,
    history.segment as segment_in_history,
    memberships.segment
from history
full outer join memberships
    on
        history.customer_id = memberships.customer_id
        and history.segmentation = memberships.segmentation
where history.segment is distinct from memberships.segment
