-- What the retailer is made of before any customer: places, stores, products, the calendar, what each survey answer stands for.

create or replace table countries as
select *
from (
    values
    -- the market, the clock that people live by, the language
    ('DE', 'dach', 'Europe/Berlin', 'de'),
    ('FR', 'france', 'Europe/Paris', 'fr'),
    ('GB', 'britain', 'Europe/London', 'en'),
    ('US', 'north_america', 'America/New_York', 'en'),
    ('BR', 'brazil', 'America/Sao_Paulo', 'pt')
) as country_rows (country, market, time_zone, language);

-- weight: percentage of the country's customers who live there.
create or replace table cities as
select *, row_number() over (order by country, city) as city_number
from (
    values
    ('DE', 'Berlin', 'Berlin', 'continental', '10', 30, 3), ('DE', 'Bavaria', 'Munich', 'continental', '80', 22, 2),
    ('DE', 'Hamburg', 'Hamburg', 'oceanic', '20', 20, 2), ('DE', 'Saxony', 'Leipzig', 'continental', '04', 10, 1),
    ('DE', 'North Rhine-Westphalia', 'Cologne', 'oceanic', '50', 18, 2),
    ('FR', 'Île-de-France', 'Paris', 'oceanic', '75', 44, 3), ('FR', 'Auvergne-Rhône-Alpes', 'Lyon', 'continental', '69', 22, 2),
    ('FR', 'Provence-Alpes-Côte d''Azur', 'Marseille', 'mediterranean', '13', 22, 2),
    ('FR', 'Grand Est', 'Strasbourg', 'continental', '67', 12, 1),
    ('GB', 'England', 'London', 'oceanic', 'E1', 52, 3), ('GB', 'England', 'Manchester', 'oceanic', 'M1', 26, 1),
    ('GB', 'Scotland', 'Edinburgh', 'oceanic', 'EH', 22, 1),
    ('US', 'New York', 'New York', 'continental', '100', 44, 2), ('US', 'Massachusetts', 'Boston', 'continental', '021', 22, 1),
    ('US', 'Georgia', 'Atlanta', 'subtropical', '303', 16, 1), ('US', 'Florida', 'Miami', 'tropical', '331', 18, 1),
    ('BR', 'São Paulo', 'São Paulo', 'subtropical', '01', 56, 2), ('BR', 'Rio de Janeiro', 'Rio de Janeiro', 'tropical', '20', 30, 1),
    ('BR', 'Bahia', 'Salvador', 'tropical', '40', 14, 1)
) as city_rows (country, region, city, climate, postcode_prefix, weight, stores);

-- One row per percent of a country's customers: where slot s of 100 lives.
create or replace table city_slots as
with bounds as (
    select *, sum(weight) over (partition by country order by city_number) as upper_slot
    from cities
)

select bounds.* exclude (upper_slot, weight), slots.range as slot
from bounds
inner join range(100) as slots on slots.range >= bounds.upper_slot - bounds.weight and slots.range < bounds.upper_slot;

create or replace table store_list as
with numbered as (
    select
        cities.*,
        numbers.range as store_index,
        row_number() over (order by cities.city_number, numbers.range) as store_number
    from cities
    inner join range(3) as numbers on numbers.range < cities.stores
)

select
    numbered.*,
    'S' || cast(100 + store_number as varchar) as store_id,
    city || ' ' || ['Centre', 'Station', 'Park'][1 + store_index] as store_name,
    row_number() over (partition by country order by store_number) - 1 as country_index,
    count(*) over (partition by country) as country_stores
from numbered;

-- Base price is that of a standard product; weight is the percentage of the whole population's lines; cost share of the list price.
create or replace table categories as
select *
from (
    values
    (0, 'fresh_food', 'food', 2.40, 13, 0.72), (1, 'pantry', 'food', 2.10, 12, 0.70), (2, 'snacks', 'food', 1.90, 9, 0.66),
    (3, 'drinks', 'food', 2.60, 11, 0.68), (4, 'ready_meals', 'food', 3.90, 7, 0.65), (5, 'household', 'home', 3.20, 9, 0.62),
    (6, 'beauty', 'care', 4.60, 7, 0.50), (7, 'health', 'care', 4.90, 7, 0.52), (8, 'baby', 'family', 4.40, 5, 0.67),
    (9, 'toys', 'family', 5.60, 4, 0.55), (10, 'pets', 'home', 3.60, 5, 0.63), (11, 'home', 'home', 6.20, 4, 0.54),
    (12, 'garden', 'home', 5.20, 3, 0.56), (13, 'electronics', 'technology', 6.80, 4, 0.71)
) as category_rows (category_number, category, department, base_price, weight, cost_share);

create or replace table category_slots as
with bounds as (
    select *, sum(weight) over (order by category_number) as upper_slot
    from categories
)

select slots.range as slot, bounds.category_number
from bounds
inner join range(100) as slots on slots.range >= bounds.upper_slot - bounds.weight and slots.range < bounds.upper_slot;

-- Ten products for each category and quality tier: product_number = (category_number * 3 + tier_number) * 10 + product_index.
create or replace table product_list as
with tiers as (
    select *
    from (
        values (0, 'budget', 0.6, 4), (1, 'standard', 1.0, 2), (2, 'premium', 1.8, 0)
    ) as tier_rows (tier_number, quality_tier, price_index, private_labels)
),

final as (
    select
        categories.*,
        tiers.*,
        numbers.range as product_index,
        (categories.category_number * 3 + tiers.tier_number) * 10 + numbers.range as product_number,
        cast(categories.base_price * tiers.price_index * (0.85 + numbers.range / 30.0) as decimal(18, 2)) as list_price
    from categories
    cross join tiers
    cross join range(10) as numbers
)

select
    *,
    'P' || cast(10000 + product_number as varchar) as product_id,
    quality_tier || ' ' || replace(category, '_', ' ') || ' ' || cast(product_index + 1 as varchar) as product_name,
    case
        when product_index < private_labels then 'Own ' || quality_tier
        else 'Brand ' || chr(cast(65 + (category_number * 7 + product_index) % 26 as integer))
    end as brand,
    product_index < private_labels as is_private_label
from final;

-- The windows in which people buy for a holiday, by country; Easter by the anonymous Gregorian algorithm (Meeus/Jones/Butcher).
create or replace table holiday_windows as
with years as (
    select range as y
    from range(year(getvariable('start_date')) - 2, year(getvariable('end_date')) + 1)
),

easter_parts as (
    select
        y,
        y % 19 as a,
        y // 100 as b,
        y % 100 as c,
        (19 * (y % 19) + y // 100 - y // 400 - (y // 100 - (y // 100 + 8) // 25 + 1) // 3 + 15) % 30 as h
    from years
),

easter_sums as (
    select *, (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7 as l
    from easter_parts
),

days as (
    select
        y,
        make_date(
            y,
            (h + l - 7 * ((a + 11 * h + 22 * l) // 451) + 114) // 31,
            (h + l - 7 * ((a + 11 * h + 22 * l) // 451) + 114) % 31 + 1
        ) as easter,
        -- The first Thursday of November, the first Sunday of May and the last of May, by ISO weekday.
        make_date(y, 11, 1) + cast((11 - isodow(make_date(y, 11, 1))) % 7 as integer) + 22 as black_friday,
        make_date(y, 5, 1) + cast(7 - isodow(make_date(y, 5, 1)) as integer) + 7 as second_sunday_of_may,
        make_date(y, 5, 31) - cast(isodow(make_date(y, 5, 31)) % 7 as integer) as last_sunday_of_may
    from easter_sums
),

windows as (
    select country, 'christmas' as holiday, make_date(y, 12, 1) as first_day, make_date(y, 12, 24) as last_day, 1.35 as strength
    from days cross join countries
    union all
    select country, 'black_friday', black_friday - 4, black_friday + 3, 1.4
    from days cross join countries
    union all
    select country, 'easter', easter - 14, easter - 1, 1.2
    from days cross join countries
    union all
    select country, 'valentines_day', make_date(y, 2, 7), make_date(y, 2, 14), 1.15
    from days cross join countries where country != 'BR'
    union all
    select country, 'valentines_day', make_date(y, 6, 5), make_date(y, 6, 12), 1.15
    from days cross join countries where country = 'BR'
    union all
    select
        country,
        'mothers_day',
        case country when 'GB' then easter - 28 when 'FR' then last_sunday_of_may - 7 else second_sunday_of_may - 7 end,
        case country when 'GB' then easter - 21 when 'FR' then last_sunday_of_may else second_sunday_of_may end,
        1.25
    from days cross join countries
    union all
    select country, 'halloween', make_date(y, 10, 24), make_date(y, 10, 31), 1.15
    from days cross join countries where country in ('US', 'GB')
)

select country, holiday, cast(first_day as date) as first_day, cast(last_day as date) as last_day, strength
from windows;

-- One row per country and day: the offset from UTC at noon, and how strong an ordinary customer's buying is (1 on an average day).
-- A year before the window is kept, so that a short window has the same yearly average.
create or replace table calendar as
with numbered_days as (
    select
        range as day_number,
        day_of(range) as day
    from range(least(0, getvariable('window_days') - 365), getvariable('window_days'))
),

holidays as (
    select
        countries.country,
        numbered_days.day_number,
        max_by(holiday_windows.holiday, holiday_windows.strength) as holiday,
        max(holiday_windows.strength) as strength
    from numbered_days
    cross join countries
    inner join holiday_windows
        on countries.country = holiday_windows.country
        and numbered_days.day between holiday_windows.first_day and holiday_windows.last_day
    group by all
)

select
    countries.country,
    numbered_days.day_number,
    numbered_days.day,
    cast(
        epoch(numbered_days.day::timestamp + interval 12 hours)
        - epoch(timezone(countries.time_zone, numbered_days.day::timestamp + interval 12 hours)) as bigint
    ) as utc_offset_seconds,
    holidays.holiday,
    [0.85, 0.85, 0.9, 0.95, 1.15, 1.4, 0.9][isodow(numbered_days.day)]
    * [0.9, 0.92, 0.97, 1.0, 1.02, 1.0, 0.96, 0.95, 1.0, 1.02, 1.04, 1.06][month(numbered_days.day)] as ordinary_strength,
    coalesce(holidays.strength, 1.0) as holiday_strength,
    case
        when strftime(numbered_days.day, '%m%d') between '0610' and '0825' then 'summer'
        when strftime(numbered_days.day, '%m%d') between '0901' and '1020' then 'autumn'
        when strftime(numbered_days.day, '%m%d') between '0107' and '0228' then 'winter'
    end as season,
    case
        when holidays.holiday in ('christmas', 'black_friday') then 'christmas'
        when holidays.holiday = 'easter' then 'easter'
    end as holiday_season
from numbered_days
cross join countries
left join holidays on countries.country = holidays.country and numbered_days.day_number = holidays.day_number;

-- The shopping clock of each kind of customer: operational time runs fast on days when they buy much and stands still when they don't,
-- one operational day per calendar day over a year. Purchases are drawn in operational time and read off here, so that seasons shift
-- purchases without touching the rates. In millionths of a day: whole numbers add up exactly, in any order.
create or replace table shopping_clock as
with strengths as (
    select
        calendar.country,
        calendar.day_number,
        clocks.clock,
        case clocks.clock
            when 'ordinary' then ordinary_strength * holiday_strength
            when 'holiday_heavy' then ordinary_strength * holiday_strength * if(holiday is null, 1, parameter('holiday_heavy_factor'))
            else if(clocks.clock in (season, holiday_season), ordinary_strength * holiday_strength, 0)
        end as strength
    from calendar
    cross join (
        select unnest(['ordinary', 'holiday_heavy', 'christmas', 'easter', 'summer', 'autumn', 'winter']) as clock
    ) as clocks
),

yearly as (
    select country, clock, cast(round(sum(strength) / 365 * 1000000) as bigint) as average_millionths
    from strengths
    where day_number >= getvariable('window_days') - 365
    group by all
),

running as (
    select
        strengths.country,
        strengths.clock,
        strengths.day_number,
        cast(round(strengths.strength * 1e12 / yearly.average_millionths) as bigint) as length
    from strengths
    inner join yearly on strengths.country = yearly.country and strengths.clock = yearly.clock
    where strengths.day_number >= 0
)

select
    country,
    clock,
    day_number,
    cast(sum(length) over (partition by country, clock order by day_number) - length as bigint) as opens_at,
    cast(sum(length) over (partition by country, clock) as bigint) as runs_for
from running
where length > 0;

-- What each answer to the survey's questions on attitude shows. Answers are planted from here; a segmentation has its own seed.
create or replace table survey_traits as
select *
from (
    values
    ('values', 'nature', 'sustainable'), ('values', 'success', 'status'), ('values', 'family', 'family'),
    ('values', 'freedom', 'adventure'), ('values', 'security', 'tradition'), ('values', 'progress', 'technology'),
    ('personality', 'conscientious', 'sustainable'), ('personality', 'ambitious', 'status'), ('personality', 'caring', 'family'),
    ('personality', 'spontaneous', 'adventure'), ('personality', 'dependable', 'tradition'), ('personality', 'curious', 'technology'),
    ('leisure', 'gardening', 'sustainable'), ('leisure', 'dining_out', 'status'), ('leisure', 'family_outings', 'family'),
    ('leisure', 'travelling', 'adventure'), ('leisure', 'club_life', 'tradition'), ('leisure', 'gaming', 'technology'),
    ('interests', 'environment', 'sustainable'), ('interests', 'fashion', 'status'), ('interests', 'parenting', 'family'),
    ('interests', 'outdoor_sports', 'adventure'), ('interests', 'local_history', 'tradition'), ('interests', 'gadgets', 'technology'),
    ('political_opinion', 'left', 'progressive'), ('political_opinion', 'centre', 'moderate'),
    ('political_opinion', 'right', 'traditional'),
    ('social_ideology', 'social_change', 'progressive'), ('social_ideology', 'balance', 'moderate'),
    ('social_ideology', 'social_order', 'traditional'),
    ('cultural_attitude', 'cosmopolitan', 'progressive'), ('cultural_attitude', 'mixed', 'moderate'),
    ('cultural_attitude', 'local_roots', 'traditional')
) as trait_rows (question, answer, trait);

-- Five campaigns a month. Experimental ones keep a control group that is not contacted; they lie so far apart that the effect of one
-- (uplift_days) has passed before the next one is sent.
create or replace table campaign_list as
with months as (
    select range as month_number, cast(getvariable('start_date') + to_months(cast(range as integer)) as date) as month_start
    from range(getvariable('months'))
),

kinds as (
    select *
    from (
        values
        (0, 'promotion', 3, 7, true, false, 'random share of the customers', ['email', 'push', 'sms']),
        (1, 'newsletter', 7, 2, false, false, 'random share of the customers', ['email']),
        (2, 'loyalty', 12, 5, false, false, 'random share of the customers', ['push', 'email', 'sms']),
        (3, 'coupon', 17, 11, true, true, 'random share of the customers', ['sms', 'email', 'post']),
        (4, 'catalogue', 24, 5, false, false, 'random share of the customers', ['post', 'push', 'email'])
    ) as kind_rows (kind_number, campaign_type, first_day, run_days, is_experiment, has_coupon, target_audience, channels)
)

select
    kinds.*,
    months.month_number * 5 + kinds.kind_number + 1 as campaign_number,
    'K' || cast(1000 + months.month_number * 5 + kinds.kind_number + 1 as varchar) as campaign_id,
    strftime(months.month_start, '%Y-%m') || ' ' || kinds.campaign_type as campaign_name,
    kinds.channels[1 + months.month_number % len(kinds.channels)] as channel,
    cast(months.month_start + cast(kinds.first_day - 1 as integer) as date) as starts_on,
    cast(months.month_start + cast(kinds.first_day + kinds.run_days - 2 as integer) as date) as ends_on,
    date_diff('day', getvariable('start_date'), months.month_start) + kinds.first_day - 1 as first_day_number
from months
cross join kinds;
