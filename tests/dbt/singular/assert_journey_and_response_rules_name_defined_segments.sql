-- Why: a typing error in a rule table or a channel list makes a segment that nobody defined, as soon as the first customer meets it.
with definitions as (

    select
        segmentation,
        segment
    from {{ ref('segment_definitions') }}

),

given as (

    select
        'journey_stage' as segmentation,
        segment
    from {{ ref('journey_stage_rules') }}
    union all
    select
        'campaign_response' as segmentation,
        segment
    from {{ ref('campaign_response_rules') }}
    union all
    select
        'contact_preference' as segmentation,
        channel as segment
    from {{ ref('contact_channels') }}
    union all
    select
        'enrolment' as segmentation,
        channel as segment
    from {{ ref('enrolment_channels') }}
    union all
    select
        'programme_engagement' as segmentation,
        segment
    from {{ ref('programme_engagement_rules') }}
    union all
    select
        'advocacy' as segmentation,
        segment
    from {{ ref('advocacy_rules') }}

)

select distinct
    given.segmentation,
    given.segment
from given
left join definitions
    on
        given.segmentation = definitions.segmentation
        and given.segment = definitions.segment
where definitions.segment is null
