-- Published as segment_definitions; in dbt that name is the seed's.
-- A definition of `*` stands for every segment named by the data (categories, payment methods, …). Here each of these gets a row
-- of its own, so that every segment of every published table is found.
{{ config(alias='segment_definitions') }}

with definitions as (

    select * from {{ ref('segment_definitions') }}

),

seen as (

    select distinct
        segmentation,
        segment
    from {{ ref('segment_days') }}
    where as_of_date <= {{ as_of_date() }}

),

named_by_the_data as (

    select
        definitions.segmentation,
        seen.segment,
        upper(substring(seen.segment, 1, 1)) || replace(substring(seen.segment, 2), '_', ' ') as label, -- noqa: RF04
        definitions.meaning,
        definitions.rule,
        definitions.owner,
        definitions.last_reviewed,
        definitions.next_review,
        definitions.expected_share_min,
        definitions.expected_share_max
    from definitions
    inner join seen on definitions.segmentation = seen.segmentation
    left join definitions as own
        on
            seen.segmentation = own.segmentation
            and seen.segment = own.segment
    where
        definitions.segment = '*'
        and own.segment is null

),

final as (

    select
        segmentation,
        segment,
        label,
        meaning,
        rule,
        owner,
        last_reviewed,
        next_review,
        expected_share_min,
        expected_share_max
    from definitions
    where segment <> '*'
    union all
    select
        segmentation,
        segment,
        label,
        meaning,
        rule,
        owner,
        last_reviewed,
        next_review,
        expected_share_min,
        expected_share_max
    from named_by_the_data

)

select * from final
