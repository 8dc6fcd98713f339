-- Who is in which audience, and who of them may be contacted. What the gate judges and what is published and delivered: one answer for all.
{{ config(materialized='table', schema='segments', tags=['published', 'guarded'], contract={'enforced': true}) }}

with members as (

    {{ audience_member_rows() }}

),

rules as (

    select * from {{ ref('audience_rules') }}

),

contactability as (

    select * from {{ ref('audience_contactability') }}

),

erased as (

    select distinct customer_id
    from {{ ref('stg_erasure_requests') }}
    where requested_date < {{ as_of_date() }}

),

-- Of the audiences of a priority group a person lands in the first one only. An audience without a group is one of its own.
ranked as (

    select
        members.*,
        row_number() over (
            partition by members.customer_id, rules.priority_group order by rules.priority_rank asc, members.audience_id asc
        ) as place
    from members
    inner join rules on members.audience_id = rules.audience_id

),

placed as (

    select
        customer_id,
        as_of_date,
        audience_id
    from ranked
    where place = 1

),

sizes as (

    select
        audience_id,
        count(*) as members
    from placed
    group by audience_id

),

judged as (

    select
        placed.customer_id,
        placed.audience_id,
        placed.as_of_date,
        {{ is_in_holdout('placed.audience_id', 'placed.customer_id', 'rules.holdout_limit') }} as is_holdout,
        case
            when erased.customer_id is not null then 'erased'
            when not coalesce(contactability.has_consent, false) then 'no_consent'
            when contactability.is_unsubscribed then 'unsubscribed'
            when not contactability.has_address then 'no_address'
            when contactability.is_address_barred then 'address_barred'
            when contactability.is_over_limit then 'contact_limit'
            when sizes.members < rules.minimum_size then 'audience_too_small'
        end as obstacle
    from placed
    inner join rules on placed.audience_id = rules.audience_id
    inner join sizes on placed.audience_id = sizes.audience_id
    left join erased on placed.customer_id = erased.customer_id
    left join
        contactability
        on
            placed.customer_id = contactability.customer_id
            and rules.purpose = contactability.purpose
            and rules.channel = contactability.channel

),

-- The holdout is named last: these are the people who would have been contacted, and the others are compared with them.
final as (

    select
        customer_id as person_id,
        audience_id,
        as_of_date,
        obstacle is null and not is_holdout as is_contactable,
        coalesce(obstacle, case when is_holdout then 'holdout' end) as suppressed_reason,
        is_holdout
    from judged

)

select * from final
