-- One row per country and day, so that a purchase day finds its window by equality and a period its holidays by one subtraction.
with windows as (

    select
        holiday,
        country,
        year as calendar_year,
        window_start,
        window_end
    from {{ ref('holidays') }}

),

digits as (

    select 0 as digit
    union all
    select 1 as digit
    union all
    select 2 as digit
    union all
    select 3 as digit
    union all
    select 4 as digit
    union all
    select 5 as digit
    union all
    select 6 as digit
    union all
    select 7 as digit
    union all
    select 8 as digit
    union all
    select 9 as digit

),

-- 0 to 999.
numbers as (

    select hundreds.digit * 100 + tens.digit * 10 + ones.digit as number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds

),

-- From the first year with windows to one after the last: the day after the last covered one is needed to end a period.
spans as (

    select
        country,
        min(calendar_year) as first_year,
        max(calendar_year) + 1 as last_year
    from windows
    group by country

),

years as (

    select
        spans.country,
        spans.first_year + numbers.number as calendar_year,
        make_date(spans.first_year + numbers.number, 1, 1) as first_day
    from spans
    inner join numbers on spans.first_year + numbers.number <= spans.last_year

),

days as (

    select
        years.country,
        years.calendar_year,
        {{ days_before('years.first_day', '-numbers.number') }} as calendar_date
    from years
    inner join numbers on numbers.number < 366

),

covered_years as (

    select distinct
        country,
        calendar_year
    from windows

),

-- Windows may overlap (the Monday after Thanksgiving can be in December): the one that began first keeps the day.
numbered_holidays as (

    select
        windows.country,
        windows.holiday,
        windows.window_start,
        {{ days_before('windows.window_start', '-numbers.number') }} as calendar_date,
        row_number() over (
            partition by windows.country, {{ days_before('windows.window_start', '-numbers.number') }}
            order by windows.window_start, windows.holiday
        ) as holiday_number
    from windows
    inner join numbers on numbers.number < {{ days_between('windows.window_start', 'windows.window_end') }}

),

marked as (

    select
        days.country,
        days.calendar_date,
        covered_years.calendar_year is not null as is_covered,
        numbered_holidays.holiday,
        numbered_holidays.window_start
    from days
    left join covered_years on days.country = covered_years.country and days.calendar_year = covered_years.calendar_year
    left join numbered_holidays
        on
            days.country = numbered_holidays.country
            and days.calendar_date = numbered_holidays.calendar_date
            and numbered_holidays.holiday_number = 1
            and covered_years.calendar_year is not null
    -- The 366th day of a common year is the first of the next.
    where extract(year from days.calendar_date) = days.calendar_year

),

final as (

    select
        country,
        calendar_date,
        is_covered,
        holiday,
        window_start,
        cast(
            sum(case when is_covered then 1 else 0 end)
                over (partition by country order by calendar_date rows between unbounded preceding and current row)
            - case when is_covered then 1 else 0 end
            as bigint
        ) as covered_days_before,
        cast(
            sum(case when holiday is not null then 1 else 0 end)
                over (partition by country order by calendar_date rows between unbounded preceding and current row)
            - case when holiday is not null then 1 else 0 end
            as bigint
        ) as holiday_days_before
    from marked

)

select * from final
