-- Why: a segment that nobody defined has no meaning, no owner and no expected share; a typing error in a rule table makes one.
-- The names that rule tables can give count too, although no customer may have them today.
-- A definition of `*` is one for every name that comes from the data: payment methods, channels, categories.
with definitions as (

    select
        segmentation,
        segment
    from {{ ref('segment_definitions') }}

),

given as (

    {% for segmentation in segmentations() %}
    select distinct
        '{{ segmentation }}' as segmentation,
        segment
    from {{ ref(segmentation ~ '_segments') }}
    union all
    {% endfor %}
    select distinct
        'rfm' as segmentation,
        segment
    from {{ ref('rfm_rules') }}

)

select
    given.segmentation,
    given.segment
from given
left join definitions
    on
        given.segmentation = definitions.segmentation
        and (given.segment = definitions.segment or definitions.segment = '*')
where definitions.segment is null
