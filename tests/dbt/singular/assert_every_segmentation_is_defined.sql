-- Why: the list of segmentations (macro segmentations) and the definitions are two places; a new segmentation must be in both.
with listed as (

    {% for segmentation in segmentations() %}
    select '{{ segmentation }}' as segmentation
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

defined as (

    select distinct segmentation from {{ ref('segment_definitions') }}

)

select
    listed.segmentation as listed_segmentation,
    defined.segmentation as defined_segmentation
from listed
full outer join defined on listed.segmentation = defined.segmentation
where
    listed.segmentation is null
    or defined.segmentation is null
