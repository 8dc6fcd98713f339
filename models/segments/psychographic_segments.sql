with features as (

    select * from {{ ref('customer_psychographic_features') }}

),

limits as (

    select {{ threshold('psychographic_minimum_answers') }} as minimum_answers

),

final as (

    select
        features.customer_id,
        features.as_of_date,
        case
            when features.group_answers = 0 or features.group_answers < limits.minimum_answers then 'unknown'
            when features.leading_groups > 1 then 'mixed'
            else features.leading_group
        end as segment,
        features.leading_group_answers,
        features.group_answers
    from features
    cross join limits

)

select * from final
