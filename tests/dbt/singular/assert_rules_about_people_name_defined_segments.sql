-- Why: a typing error in a rule table makes a segment that nobody defined, on the day the first customer gets it.
-- Found here before that day.
with definitions as (

    select
        segmentation,
        segment
    from {{ ref('segment_definitions') }}

),

named as (

    select
        'demographic' as segmentation,
        segment
    from {{ ref('demographic_rules') }}
    union all
    select
        'socio_economic' as segmentation,
        segment
    from {{ ref('socio_economic_rules') }}
    union all
    select
        case classification when 'special_category' then 'socio_cultural' else 'psychographic' end as segmentation,
        trait_group as segment
    from {{ ref('survey_traits') }}
    where trait_group <> 'none'
    union all
    select
        'needs' as segmentation,
        trait as segment
    from {{ ref('survey_traits') }}
    where trait_family = 'need'
    union all
    select
        'needs' as segmentation,
        need as segment
    from {{ ref('ticket_topic_needs') }}
    where need <> 'none'
    union all
    select
        'needs' as segmentation,
        need as segment
    from {{ ref('category_needs') }}

)

select distinct
    named.segmentation,
    named.segment
from named
left join definitions
    on
        named.segmentation = definitions.segmentation
        and named.segment = definitions.segment
where definitions.segment is null
