with rhythm as (

    select * from {{ ref('customer_rhythm_features') }}

),

final as (

    select
        'usual_gap_days' as measure,
        1 as cut,
        cast(max(population_gap_days) as decimal(18, 4)) as value -- noqa: RF04
    from rhythm
    having max(population_gap_days) is not null

)

select * from final
