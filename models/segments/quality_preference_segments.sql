with quality as (

    select * from {{ ref('customer_quality_features') }}

),

limits as (

    select
        {{ threshold('quality_preference_minimum_lines') }} as minimum_lines,
        {{ threshold('quality_preference_dear_index') }} as dear_index,
        {{ threshold('quality_preference_cheap_index') }} as cheap_index,
        {{ threshold('quality_preference_range_excess') }} as range_excess,
        {{ threshold('quality_preference_many_units_index') }} as many_units_index,
        {{ threshold('quality_preference_few_units_index') }} as few_units_index,
        {{ threshold('quality_preference_score') }} as score

),

-- Each thing that can be seen points to quality (1), to quantity (-1) or to neither (0); null where it cannot be seen.
signs as (

    select
        quality.customer_id,
        case
            when quality.priced_lines < limits.minimum_lines then null
            when quality.unit_price_index >= limits.dear_index then 1
            when quality.unit_price_index <= limits.cheap_index then -1
            else 0
        end as price_sign,
        case
            when quality.tiered_lines < limits.minimum_lines then null
            when quality.tier_excess >= limits.range_excess then 1
            when quality.tier_excess <= -limits.range_excess then -1
            else 0
        end as tier_sign,
        case
            when quality.labelled_lines < limits.minimum_lines then null
            when quality.private_label_excess <= -limits.range_excess then 1
            when quality.private_label_excess >= limits.range_excess then -1
            else 0
        end as label_sign,
        case
            when quality.priced_lines < limits.minimum_lines then null
            when quality.units_index <= limits.few_units_index then 1
            when quality.units_index >= limits.many_units_index then -1
            else 0
        end as units_sign
    from quality
    cross join limits

),

scored as (

    select
        customer_id,
        coalesce(price_sign, 0) + coalesce(tier_sign, 0) + coalesce(label_sign, 0) + coalesce(units_sign, 0) as sign_sum,
        -- How many are piled up at a time says something only when it says something: most customers buy by the piece.
        case when price_sign is null then 0 else 1 end
        + case when tier_sign is null then 0 else 1 end
        + case when label_sign is null then 0 else 1 end
        + case when coalesce(units_sign, 0) = 0 then 0 else 1 end as sign_count
    from signs

),

final as (

    select
        quality.customer_id,
        quality.as_of_date,
        case
            when scored.sign_count = 0 then 'unknown'
            when scored.sign_sum >= limits.score * scored.sign_count then 'quality'
            when scored.sign_sum <= -limits.score * scored.sign_count then 'quantity'
            else 'balanced'
        end as segment,
        {{ ratio('scored.sign_sum', 'scored.sign_count') }} as quality_score,
        quality.unit_price_index,
        quality.premium_share,
        quality.private_label_share,
        quality.units_index
    from quality
    inner join scored on quality.customer_id = scored.customer_id
    cross join limits

)

select * from final
