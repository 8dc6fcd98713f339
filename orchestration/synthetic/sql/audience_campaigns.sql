-- Campaigns to an audience of the project, when asked for: one a quarter, the last one early enough for its effect to be over by the end.
-- They come on top of the others and change none of their rows.
insert into campaign_list by name
select
    5 as kind_number,
    'win_back' as campaign_type,
    10 as first_day,
    5 as run_days,
    true as is_experiment,
    false as has_coupon,
    'lapsed_worth_reengaging' as target_audience,
    ['email'] as channels,
    700 + month_number as campaign_number,
    'K' || cast(1700 + month_number as varchar) as campaign_id,
    strftime(month_start, '%Y-%m') || ' win back' as campaign_name,
    'email' as channel,
    cast(month_start + 9 as date) as starts_on,
    cast(month_start + 13 as date) as ends_on,
    date_diff('day', getvariable('start_date'), month_start) + 9 as first_day_number
from (
    select range as month_number, cast(getvariable('start_date') + to_months(cast(range as integer)) as date) as month_start
    from range(getvariable('months'))
)
where (getvariable('months') - 2 - month_number) % 3 = 0 and month_number > 0;
