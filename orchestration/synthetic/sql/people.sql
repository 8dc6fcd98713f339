-- Who each customer is: everything planted that does not depend on what happens later. Grain: one row per customer.
-- A view over all customers; columns that are not asked for cost nothing, so that a few of them can be read for everybody.
create or replace view planted_people as
with numbers as (
    select range as n
    from range(1, getvariable('customers') + 1)
),

clocks as (
    select country, clock, max(runs_for) as runs_for
    from shopping_clock
    group by all
),

-- How they buy through the year. A season that the window does not hold can't be planted: such a customer buys occasionally instead.
wanted as (
    select
        n,
        pick('country', draw('country', n, 0)) as country,
        pick('rhythm', draw('rhythm', n, 0)) as wanted_rhythm,
        pick_given('holiday_behaviour', wanted_rhythm, draw('holiday behaviour', n, 0)) as wanted_holiday_behaviour,
        case
            when wanted_holiday_behaviour = 'holiday_only' then pick('holiday_season', draw('season', n, 0))
            when wanted_rhythm = 'seasonal' then pick('season', draw('season', n, 0))
            when wanted_holiday_behaviour = 'holiday_heavy' then 'holiday_heavy'
            else 'ordinary'
        end as wanted_clock
    from numbers
),

rhythms as (
    select
        wanted.n,
        wanted.country,
        if(clocks.clock is null, 'occasional', wanted_rhythm) as rhythm,
        if(clocks.clock is null, 'ordinary', wanted_holiday_behaviour) as holiday_behaviour,
        coalesce(clocks.clock, 'ordinary') as clock
    from wanted
    left join clocks on wanted.country = clocks.country and wanted.wanted_clock = clocks.clock
),

-- When the first purchase falls, in operational time: many early in the window, then evenly.
arrivals as (
    select
        rhythms.*,
        draw('arrival', n, 0) as arrival_draw,
        if(
            arrival_draw < parameter('early_customer_share'),
            arrival_draw / parameter('early_customer_share') * parameter('early_window_share'),
            parameter('early_window_share')
            + (arrival_draw - parameter('early_customer_share'))
            / (1 - parameter('early_customer_share')) * (1 - parameter('early_window_share'))
        ) as arrival_quantile,
        clocks.runs_for as clock_runs_for,
        cast(floor(arrival_quantile * clocks.runs_for) as bigint) as first_order_at
    from rhythms
    inner join clocks on rhythms.country = clocks.country and rhythms.clock = clocks.clock
),

first_days as (
    select arrivals.*, shopping_clock.day_number as first_order_day
    from arrivals
    asof join shopping_clock
        on arrivals.country = shopping_clock.country
        and arrivals.clock = shopping_clock.clock
        and arrivals.first_order_at >= shopping_clock.opens_at
),

processes as (
    select
        *,
        rhythm in ('permanent', 'occasional')
        and first_order_day <= getvariable('window_days') - parameter('returning_minimum_age_days')
        and draw('returning', n, 0) < parameter('returning_share') as is_planted_returning,
        not is_planted_returning
        and rhythm in ('permanent', 'occasional')
        and first_order_day <= getvariable('window_days') - 60
        and draw('support waiting', n, 0) < parameter('support_waiting_share') as is_planted_support_waiting,
        case rhythm
            when 'permanent'
                then
                    parameter('permanent_slowest_rate')
                    + gamma_draw(parameter('permanent_rate_shape'), 'rate', n, 0) / parameter('permanent_rate_days')
            when 'occasional' then gamma_draw(parameter('occasional_rate_shape'), 'rate', n, 0) / parameter('occasional_rate_days')
            when 'seasonal'
                then
                    gamma_draw(parameter('seasonal_rate_shape'), 'rate', n, 0) / parameter('seasonal_rate_shape')
                    * parameter('seasonal_orders_a_year') / 365
        end as purchase_rate,
        case rhythm
            when 'permanent'
                then gamma_draw(parameter('permanent_dropout_shape'), 'dropout rate', n, 0) / parameter('permanent_dropout_days')
            when 'occasional'
                then gamma_draw(parameter('occasional_dropout_shape'), 'dropout rate', n, 0) / parameter('occasional_dropout_days')
            when 'seasonal' then 1 / parameter('seasonal_dropout_days')
        end as dropout_rate,
        case rhythm when 'permanent' then parameter('permanent_regularity') when 'none' then null else 1 end as regularity
    from first_days
),

-- Days are counted from the first day of the window; an end is the first day without activity.
lives as (
    select
        *,
        case
            when rhythm = 'none' then null
            when rhythm = 'one_off' then first_order_day + 1
            when is_planted_returning or is_planted_support_waiting then getvariable('window_days') + 365
            -- Nobody is followed for more than a century.
            else first_order_day + 1 + least(draw_waiting('lifetime', n, 0, 1 / greatest(dropout_rate, 1e-9)), 36500)
        end as dropout_day,
        if(is_planted_returning, getvariable('window_days') - parameter('returning_latest_days'), null) as silence_ends_day,
        silence_ends_day - parameter('returning_silence_days') as silence_starts_day,
        if(is_planted_support_waiting, getvariable('window_days') - 8 - draw_below('waiting ticket', n, 0, 30), null) as waiting_ticket_day,
        first_order_day - if(
            draw('early sign-up', n, 0) < parameter('signed_up_before_first_order_share'),
            1 + draw_waiting('early sign-up', n, 1, parameter('signed_up_before_first_order_days')),
            0
        ) as signed_up_day
    from processes
),

habits as (
    select
        *,
        -- least() passes over what is null.
        least(dropout_day, waiting_ticket_day, getvariable('window_days')) as active_until_day,
        rhythm = 'none' and draw('only returns', n, 0) < 0.03 as has_only_returns,
        if(rhythm = 'none' and not has_only_returns, pick('journey_without_orders', draw('journey', n, 0)), null) as planted_journey,
        -- Spend: the mean order value of a customer is spend_shape / nu, and nu is gamma distributed.
        parameter('spend_shape') * parameter('spend_scale')
        / gamma_draw(parameter('spend_heterogeneity'), 'spend', n, 0) as mean_order_value,
        if(
            rhythm = 'permanent' and not is_planted_returning and not is_planted_support_waiting
            and first_order_day <= getvariable('window_days') - parameter('value_trend_minimum_age_days'),
            pick('value_trend', draw('value trend', n, 0)),
            if(rhythm = 'none', null, 'steady')
        ) as planted_value_trend,
        pick('promotion_type', draw('promotion type', n, 0)) as promotion_type,
        pick_given('price_sensitivity', promotion_type, draw('price sensitivity', n, 0)) as price_sensitivity,
        pick('quality_preference', draw('quality preference', n, 0)) as quality_preference,
        pick('channel_preference', draw('channel preference', n, 0)) as channel_preference,
        pick_given('payment_preference', channel_preference, draw('payment preference', n, 0)) as payment_preference,
        pick_given('enrolment_channel', channel_preference, draw('enrolment channel', n, 0)) as enrolment_channel,
        pick('life_stage', draw('life stage', n, 0)) as life_stage,
        pick_given('need', life_stage, draw('need', n, 0)) as need,
        pick_given('leading_category', need, draw('leading category', n, 0)) as category_affinity,
        pick('socio_economic_band', draw('socio-economic', n, 0)) as socio_economic_band,
        pick('psychographic_group', draw('psychographic', n, 0)) as psychographic_group,
        pick('socio_cultural_group', draw('socio-cultural', n, 0)) as socio_cultural_group,
        pick('contact_preference', draw('contact preference', n, 0)) as contact_preference,
        pick_given('campaign_response', contact_preference, draw('campaign response', n, 0)) as campaign_response,
        pick_given('uplift_type', campaign_response, draw('uplift type', n, 0)) as uplift_type,
        cast(pick('best_hour', draw('best hour', n, 0)) as bigint) as best_contact_hour,
        cast(pick('best_weekday', draw('best weekday', n, 0)) as bigint) as best_contact_weekday,
        case
            when pick('programme_habit', draw('programme', n, 0)) = 'not_a_member' then 'not_a_member'
            when rhythm = 'none' then 'dormant'
            else pick('programme_habit', draw('programme', n, 0))
        end as programme_habit,
        if(
            arrival_quantile < 0.5 and rhythm in ('permanent', 'occasional') and draw('ambassador', n, 0) < parameter('ambassador_share'),
            'ambassador',
            pick('advocacy', draw('advocacy', n, 0))
        ) as advocacy,
        pick('gender', draw('gender', n, 0)) as gender
    from lives
),

homes as (
    select
        habits.*,
        countries.market,
        countries.language,
        city_slots.city_number,
        city_slots.city,
        city_slots.region,
        city_slots.climate,
        city_slots.postcode_prefix,
        city_slots.stores as city_stores
    from habits
    inner join countries on habits.country = countries.country
    inner join city_slots on habits.country = city_slots.country and city_slots.slot = draw_below('city', n, 0, 100)
)

select
    homes.*,
    'C' || cast(10000000 + n as varchar) as customer_id,
    store_list.store_id as home_store_id
from homes
inner join store_list
    on homes.city_number = store_list.city_number
    and store_list.store_index = draw_below('home store', n, 0, homes.city_stores);
