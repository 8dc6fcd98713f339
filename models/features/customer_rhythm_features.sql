with customers as (

    select * from {{ ref('int_customers') }}

),

rhythm as (

    select * from {{ ref('int_customer_rhythm') }}

),

limits as (

    select
        cast({{ threshold('rhythm_population_gaps') }} as integer) as population_gaps,
        cast({{ threshold('rhythm_default_gap_days') }} as decimal(18, 2)) as default_gap_days

),

measured as (

    select
        *,
        {{ mean_to_cents('gap_sum', 'gap_count') }} as mean_gap_days
    from rhythm

),

-- The typical customer who came back at all: the middle one of their mean gaps.
population as (

    select
        coalesce({{ percentile_cut('measured.mean_gap_days', 0.5) }}, max(limits.default_gap_days)) as population_gap_days
    from limits
    left join measured on measured.gap_count > 0

),

blended as (

    select
        measured.*,
        {{ mean_to_cents(
            'coalesce(measured.gap_sum, 0) + limits.population_gaps * population.population_gap_days',
            'measured.gap_count + limits.population_gaps'
        ) }} as usual_gap_days
    from measured
    cross join limits
    cross join population

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        coalesce(blended.purchase_days, 0) as purchase_days,
        coalesce(blended.active_months, 0) as active_months,
        coalesce(blended.gap_count, 0) as gap_count,

        blended.mean_gap_days,
        -- Sample deviation from the whole-number sums; two gaps at least.
        case
            when blended.gap_count >= 2
                then
                    sqrt({{ ratio(
                        'blended.gap_count * blended.gap_square_sum - blended.gap_sum * blended.gap_sum',
                        'blended.gap_count * (blended.gap_count - 1)'
                    ) }})
        end as gap_deviation_days,
        blended.max_gap_days,

        population.population_gap_days,
        blended.usual_gap_days,
        {{ ratio(days_between('blended.last_order_date', 'customers.as_of_date'), 'blended.usual_gap_days') }} as silence_ratio
    from customers
    cross join population
    left join blended on customers.customer_id = blended.customer_id

)

select * from final
