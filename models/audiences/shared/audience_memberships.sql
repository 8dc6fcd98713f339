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
        contactability.shared_address,
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

-- Whoever writes to an address reaches everybody who has it, so a held out reader holds back the others.
held_out_addresses as (

    select distinct
        audience_id,
        shared_address
    from judged
    where
        is_holdout
        and shared_address is not null

),

-- The holdout is named last: these are the people who would have been contacted, and the others are compared with them.
final as (

    select
        judged.customer_id as person_id,
        judged.audience_id,
        judged.as_of_date,
        judged.obstacle is null and not judged.is_holdout and held_out_addresses.audience_id is null as is_contactable,
        coalesce(
            judged.obstacle,
            case when judged.is_holdout then 'holdout' when held_out_addresses.audience_id is not null then 'address_barred' end
        ) as suppressed_reason,
        judged.is_holdout
    from judged
    left join
        held_out_addresses
        on
            judged.audience_id = held_out_addresses.audience_id
            and judged.shared_address = held_out_addresses.shared_address

)

select * from final
