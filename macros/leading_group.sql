{#-
    The CTEs that find the leading group of each customer, from a CTE `votes` (customer_id, trait_group, answers, last_answered_at):
    most answers lead, of equals the group answered for last. Groups equal in both stay tied, and a tie leads nowhere.
    Result: CTE `leaders` (customer_id, leading_group (null in a tie), leading_group_answers, leading_groups, group_answers).
-#}
{% macro leading_group_ctes() -%}
ranked_groups as (

    select
        customer_id,
        trait_group,
        answers,
        rank() over (partition by customer_id order by answers desc, last_answered_at desc) as group_rank
    from votes

),

counted_groups as (

    select
        customer_id,
        min(case when group_rank = 1 then trait_group end) as first_group,
        max(answers) as leading_group_answers,
        count(case when group_rank = 1 then 1 end) as leading_groups,
        cast(sum(answers) as bigint) as group_answers
    from ranked_groups
    group by customer_id

),

leaders as (

    select
        customer_id,
        case when leading_groups = 1 then first_group end as leading_group,
        leading_group_answers,
        leading_groups,
        group_answers
    from counted_groups

)
{%- endmacro %}
