with customers as (

    select * from {{ ref('int_customers') }}

),

answers as (

    select * from {{ ref('int_survey_answers') }}

),

traits as {{ inlined() }} (

    select * from {{ ref('int_customer_traits') }}

),

answered as (

    select
        customer_id,
        count(*) as answered_questions,
        max(answered_date) as last_answered_date
    from answers
    group by customer_id

),

-- The latest trait of each family; of several the first by name.
ranked_traits as (

    select
        customer_id,
        trait_family,
        trait,
        row_number() over (partition by customer_id, trait_family order by answered_at desc, trait asc) as trait_rank
    from traits

),

family_traits as (

    select
        customer_id,
        max(case when trait_family = 'personality' then trait end) as personality_trait,
        max(case when trait_family = 'attitude' then trait end) as attitude_trait,
        max(case when trait_family = 'interest' then trait end) as interest_trait,
        max(case when trait_family = 'leisure' then trait end) as leisure_trait,
        max(case when trait_family = 'value' then trait end) as value_trait
    from ranked_traits
    where trait_rank = 1
    group by customer_id

),

distinct_traits as (

    select distinct
        customer_id,
        trait
    from traits

),

trait_lists as (

    select
        customer_id,
        {{ joined_texts('trait') }} as traits
    from distinct_traits
    group by customer_id

),

-- One answer, one vote for a group.
votes as (

    select
        customer_id,
        trait_group,
        count(distinct question) as answers,
        max(answered_at) as last_answered_at
    from traits
    where trait_group <> 'none'
    group by customer_id, trait_group

),

{{ leading_group_ctes() }},

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        coalesce(answered.answered_questions, 0) as answered_questions,
        answered.last_answered_date,

        family_traits.personality_trait,
        family_traits.attitude_trait,
        family_traits.interest_trait,
        family_traits.leisure_trait,
        family_traits.value_trait,
        trait_lists.traits,

        leaders.leading_group,
        coalesce(leaders.leading_group_answers, 0) as leading_group_answers,
        coalesce(leaders.leading_groups, 0) as leading_groups,
        coalesce(leaders.group_answers, 0) as group_answers
    from customers
    left join answered on customers.customer_id = answered.customer_id
    left join family_traits on customers.customer_id = family_traits.customer_id
    left join trait_lists on customers.customer_id = trait_lists.customer_id
    left join leaders on customers.customer_id = leaders.customer_id

)

select * from final
