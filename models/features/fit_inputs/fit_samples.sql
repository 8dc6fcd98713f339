-- A view, like all inputs of fits: they are read on the days on which something is fitted.
{{ config(materialized='view') }}

with purchase_days as (

    select min(order_date) as first_purchase_date
    from {{ ref('int_customer_days') }}
    where purchase_orders > 0

),

fit_days as (
    {{ fit_days_query() }}
),

-- Half of a history that is shorter than two holdouts.
measured as (

    select
        fit_days.fit_day,
        purchase_days.first_purchase_date,
        least(
            {{ var('lifetime_value_holdout_days') }},
            cast(floor({{ days_between('purchase_days.first_purchase_date', 'fit_days.fit_day') }} / 2) as integer)
        ) as holdout_days
    from fit_days
    inner join purchase_days on fit_days.fit_day > purchase_days.first_purchase_date

),

final as (

    select
        fit_day,
        'whole' as sample, -- noqa: RF04
        first_purchase_date,
        fit_day as counted_until
    from measured
    union all
    select
        fit_day,
        'calibration' as sample, -- noqa: RF04
        first_purchase_date,
        {{ days_before('fit_day', 'holdout_days') }} as counted_until
    from measured

)

select * from final
