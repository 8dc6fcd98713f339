-- Why: an answer about politics, faith or ideology that decides anything without the customer's permission is unlawful,
-- whoever reads it later.
-- Permission is worked out here a second time, from the consents themselves and in another way than the models do:
-- the last change must be a grant.
-- Three things must not be: a customer without it described by such answers, a customer without it in any group, and a trait of a special
-- question among the ordinary ones.
{{ config(tags=['invariant']) }}

with changes as (

    select
        customer_id,
        is_granted and coalesce(lower(trim(channel)), 'any') = 'any' as is_granted_for_all,
        row_number() over (partition by customer_id order by changed_at desc, is_granted asc) as change_rank
    from {{ ref('stg_consents') }}
    where
        lower(trim(purpose)) = 'special_category'
        and changed_date < {{ as_of_date() }}
        -- A grant for one channel alone changes nothing.
        and (not is_granted or coalesce(lower(trim(channel)), 'any') = 'any')

),

permitted as (

    select customer_id from changes
    where change_rank = 1 and is_granted_for_all

),

special_questions as (

    select distinct question
    from {{ ref('survey_traits') }}
    where classification = 'special_category'

)

select
    'described without permission' as what,
    features.customer_id
from {{ ref('customer_socio_cultural_features') }} as features
left join permitted on features.customer_id = permitted.customer_id
where
    permitted.customer_id is null
    and (
        features.has_special_category_permission
        or features.socio_cultural_group is not null
        or features.socio_cultural_answers > 0
        or features.socio_cultural_group_answers > 0
    )

union all

select
    'in a group without permission' as what,
    segments.customer_id
from {{ ref('socio_cultural_segments') }} as segments
left join permitted on segments.customer_id = permitted.customer_id
where (permitted.customer_id is null) <> (segments.segment = 'not_permitted')

union all

select
    'special trait among the ordinary ones' as what,
    traits.customer_id
from {{ ref('int_customer_traits') }} as traits
inner join special_questions on traits.question = special_questions.question
