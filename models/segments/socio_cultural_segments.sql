with features as (

    select * from {{ ref('customer_socio_cultural_features') }}

),

limits as (

    select {{ threshold('socio_cultural_minimum_answers') }} as minimum_answers

),

final as (

    select
        features.customer_id,
        features.as_of_date,
        case
            when not features.has_special_category_permission then 'not_permitted'
            when
                features.socio_cultural_answers = 0
                or features.socio_cultural_answers < limits.minimum_answers
                then 'unknown'
            when features.socio_cultural_leading_groups > 1 then 'mixed'
            else features.socio_cultural_group
        end as segment,
        features.has_special_category_permission,
        -- How many answers decided, never which.
        features.socio_cultural_answers
    from features
    cross join limits

)

select * from final
