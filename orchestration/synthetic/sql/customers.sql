-- The customer table as the retailer has it: attributes that agree with the planted life stage and band, some unknown.
-- Grain: one row per customer.
create or replace macro known(what, n, share, value) as if(draw('unknown ' || what, n, 0) < share, null, value);

create or replace table clean_customers as
with ages as (
    select
        *,
        case
            when life_stage in ('young_single', 'young_couple') then 19 + draw_below('age', n, 0, 14)
            when life_stage = 'young_family' then 24 + draw_below('age', n, 0, 10)
            when life_stage = 'established_family' then 36 + draw_below('age', n, 0, 18)
            when life_stage in ('mature_single', 'mature_couple') then 37 + draw_below('age', n, 0, 25)
            else 66 + draw_below('age', n, 0, 22)
        end as age,
        pick_given('marital_status', life_stage, draw('marital status', n, 0)) as marital_status,
        case life_stage
            when 'young_family' then 1 + draw_below('children', n, 0, 2)
            when 'established_family' then 1 + draw_below('children', n, 0, 3)
            else 0
        end as children
    from people
),

balances as (
    select n, sum(points) as points_of_the_year
    from clean_loyalty_ledger
    where entry_type = 'earn' and occurred_at >= getvariable('end_at') - interval 365 days
    group by n
),

-- A second account of somebody who has one already: the same address and phone, another customer.
persons as (
    select
        *,
        n - 1 - draw_below('second account', n, 1, 40) as first_account,
        if(
            draw('second account', n, 0) < parameter('second_account_share')
            and first_account > 0
            and draw('second account', first_account, 0) >= parameter('second_account_share'),
            first_account,
            n
        ) as person_number
    from ages
),

final as (
    select
        persons.*,
        day_of(getvariable('window_days') - 1 - floor(persons.age * 365.2425 + draw('birthday', persons.n, 0) * 365)) as birth_date,
        marital_status in ('married', 'partnership') as has_partner,
        life_stage = 'senior' as is_retired,
        case socio_economic_band
            when 'low' then 12000 + draw('income', persons.n, 0) * 9900
            when 'lower_middle' then 22000 + draw('income', persons.n, 0) * 15900
            when 'upper_middle' then 38000 + draw('income', persons.n, 0) * 26900
            else 65000 - 30000 * ln(draw('income', persons.n, 0))
        end as income,
        midnight_of(signed_up_day) + to_seconds(21600 + draw_below('sign-up time', persons.n, 0, 3600)) as signed_up_at,
        coalesce(balances.points_of_the_year, 0) as points_of_the_year,
        referral_pairs.referrer_customer_id
    from persons
    left join balances on persons.n = balances.n
    left join referral_pairs on persons.n = referral_pairs.n
)

select
    n,
    customer_id,
    known('sign-up', n, 0.03, signed_up_at) as signed_up_at,
    known('birth date', n, 0.3, birth_date) as birth_date,
    known('age band', n, 0.4, case
        when age < 25 then '18-24' when age < 35 then '25-34' when age < 45 then '35-44'
        when age < 55 then '45-54' when age < 65 then '55-64' else '65+'
    end) as age_band,
    known('gender', n, 0.1, gender) as gender,
    known('marital status', n, parameter('missing_share'), marital_status) as marital_status,
    known('household', n, parameter('missing_share'), cast(1 + if(has_partner, 1, 0) + children as varchar)) as household_size,
    known('children', n, parameter('missing_share'), cast(children as varchar)) as children,
    known('education', n, 0.3, pick_given('education', socio_economic_band, draw('education', n, 0))) as education,
    known(
        'occupation', n, 0.3, if(is_retired, 'retired', pick_given('occupation', socio_economic_band, draw('occupation', n, 0)))
    ) as occupation,
    known('employer', n, 0.6, if(is_retired, null, 'Employer ' || cast(draw_below('employer', n, 0, 20) + 1 as varchar))) as employer,
    known('job level', n, 0.4, if(is_retired, null, pick_given('job_level', socio_economic_band, draw('job level', n, 0)))) as job_level,
    known('income', n, 0.45, cast(round(income, -2) as decimal(18, 2))) as annual_income,
    known('income band', n, 0.4, case socio_economic_band
        when 'low' then 'under 22000' when 'lower_middle' then '22000-37999' when 'upper_middle' then '38000-64999' else '65000 and over'
    end) as income_band,
    known('home ownership', n, 0.4, pick_given('home_ownership', socio_economic_band, draw('home ownership', n, 0))) as home_ownership,
    -- The second account was typed with capitals.
    known('email', n, 0.05, if(person_number = n, 'customer', 'Customer') || cast(person_number as varchar) || '@example.com') as email,
    known('phone', n, 0.3, '+990' || cast(100000000 + person_number as varchar)) as phone,
    ['Alex', 'Robin', 'Sam', 'Noa', 'Kim', 'Luca', 'Maxime', 'Andrea', 'Jules', 'Charlie', 'Sacha', 'Dominique'][
        1 + draw_below('first name', person_number, 0, 12)
    ] as first_name,
    ['Müller', 'Martin', 'Smith', 'Silva', 'Weber', 'Bernard', 'Taylor', 'Santos', 'Brown', 'Dubois', 'Fischer', 'Oliveira'][
        1 + draw_below('last name', person_number, 0, 12)
    ] as last_name,
    known('country', n, 0.02, country) as country,
    known('region', n, 0.1, region) as region,
    known('city', n, 0.1, city) as city,
    known('postcode', n, 0.1, postcode_prefix || cast(100 + draw_below('postcode', n, 0, 899) as varchar)) as postcode,
    known('work place', n, 0.55, country) as work_country,
    known('work place', n, 0.55, if(draw('work city', n, 0) < 0.75, city, other_city)) as work_city,
    language,
    known('home store', n, 0.4, home_store_id) as home_store_id,
    case
        when programme_habit = 'not_a_member' then null
        when draw('paid membership', n, 0) < 0.1 then 'plus'
        else 'basic'
    end as membership_type,
    case
        when programme_habit = 'not_a_member' then null
        when points_of_the_year >= parameter('gold_points') then 'gold'
        when points_of_the_year >= parameter('silver_points') then 'silver'
        else 'bronze'
    end as loyalty_tier,
    known('enrolment channel', n, 0.06, enrolment_channel) as enrolment_channel,
    if(draw('stated contact', n, 0) < parameter('stated_contact_preference_share'), contact_preference, null) as preferred_contact_channel,
    referrer_customer_id as referred_by_customer_id,
    signed_up_at as updated_at,
    person_number
from final
inner join (select country as work_country, slot, city as other_city from city_slots) as work_cities
    on final.country = work_cities.work_country and work_cities.slot = draw_below('work city', final.n, 1, 100);

create or replace table clean_erasure_requests as
select
    n,
    customer_id,
    getvariable('end_at') - to_seconds(86400 + draw_below('erasure', n, 1, 5000000)) as requested_at
from people
where first_order_day < getvariable('window_days') - 70 and draw('erasure', n, 0) < parameter('erasure_share');
