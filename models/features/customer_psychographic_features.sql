{%- set families = ['personality', 'attitude', 'interest', 'leisure', 'value'] -%}

with customers as (

    select * from {{ ref('int_customers') }}

),

answers as (

    select * from {{ ref('int_survey_answers') }}

),

traits as (

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
        {% for family in families -%}
        max(case when trait_family = '{{ family }}' then trait end) as {{ family }}_trait{{ ',' if not loop.last }}
        {% endfor %}
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

        {% for family in families -%}
        family_traits.{{ family }}_trait,
        {% endfor -%}
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
