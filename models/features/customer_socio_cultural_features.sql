-- Special-category data. Everybody without the permission of this day has nothing here but the fact that it is missing.
with customers as (

    select * from {{ ref('int_customers') }}

),

permissions as (

    select * from {{ ref('int_special_category_permissions') }}

),

answers as (

    select * from {{ ref('int_special_category_answers') }}

),

survey_traits as (

    select * from {{ ref('survey_traits') }}

),

-- One answer, one vote for a group.
votes as (

    select
        answers.customer_id,
        survey_traits.trait_group,
        count(distinct answers.question) as answers,
        max(answers.answered_at) as last_answered_at
    from answers
    inner join survey_traits
        on
            answers.question = survey_traits.question
            and (answers.answer = survey_traits.answer or survey_traits.answer = '*')
    where survey_traits.trait_group <> 'none'
    group by answers.customer_id, survey_traits.trait_group

),

{{ leading_group_ctes() }},

final as (

    select
        customers.customer_id,
        customers.as_of_date,
        permissions.customer_id is not null as has_special_category_permission,
        leaders.leading_group as socio_cultural_group,
        coalesce(leaders.leading_group_answers, 0) as socio_cultural_group_answers,
        coalesce(leaders.leading_groups, 0) as socio_cultural_leading_groups,
        coalesce(leaders.group_answers, 0) as socio_cultural_answers
    from customers
    left join permissions on customers.customer_id = permissions.customer_id
    left join leaders on customers.customer_id = leaders.customer_id

)

select * from final
