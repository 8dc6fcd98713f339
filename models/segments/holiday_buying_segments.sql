with holidays as (

    select * from {{ ref('customer_holiday_features') }}

),

limits as (

    select
        {{ threshold('holiday_buying_minimum_observed_days') }} as minimum_observed_days,
        {{ threshold('holiday_buying_minimum_purchase_days') }} as minimum_purchase_days,
        {{ threshold('holiday_buying_only_share') }} as only_share,
        {{ threshold('holiday_buying_only_minimum_holidays') }} as only_minimum_holidays,
        {{ threshold('holiday_buying_heavy_lift') }} as heavy_lift,
        {{ threshold('holiday_buying_heavy_minimum_days') }} as heavy_minimum_days

),

final as (

    select
        holidays.customer_id,
        holidays.as_of_date,
        case
            when
                holidays.observed_days < limits.minimum_observed_days
                or holidays.observed_purchase_days < limits.minimum_purchase_days
                then 'unknown'
            when
                holidays.observed_amount > 0
                and holidays.holiday_amount >= limits.only_share * holidays.observed_amount
                and holidays.holidays_bought_in >= limits.only_minimum_holidays
                then 'holiday_only'
            -- The days must agree with the money: one large present among many ordinary days is not a habit.
            when
                holidays.holiday_lift >= limits.heavy_lift
                and holidays.holiday_purchase_days >= limits.heavy_minimum_days
                and holidays.holiday_purchase_day_share > holidays.holiday_day_share
                then 'holiday_heavy'
            else 'ordinary'
        end as segment,
        holidays.holiday_country,
        holidays.observed_days,
        holidays.observed_purchase_days,
        holidays.holiday_purchase_days,
        holidays.holidays_bought_in,
        holidays.holiday_day_share,
        holidays.holiday_spend_share,
        holidays.holiday_lift
    from holidays
    cross join limits

)

select * from final
