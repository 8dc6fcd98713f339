{%- set impossible = impossible_customer_values() %}

with

landed as {{ inlined() }} (
    {{ landed_rows(source('landing', 'customers')) }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('customer_id') }} as customer_id,
        cast(signed_up_at as timestamp) as signed_up_at,
        cast(birth_date as date) as birth_date,
        {{ clean_text('age_band') }} as age_band,
        {{ clean_code('gender') }} as gender,
        {{ clean_code('marital_status') }} as marital_status,
        {{ clean_text('household_size') }} as household_size,
        {{ clean_text('children') }} as children,
        {{ clean_text('education') }} as education,
        {{ clean_text('occupation') }} as occupation,
        {{ clean_text('employer') }} as employer,
        {{ clean_text('job_level') }} as job_level,
        cast(annual_income as decimal(18, 2)) as annual_income,
        {{ clean_text('income_band') }} as income_band,
        {{ clean_code('home_ownership') }} as home_ownership,
        {{ clean_text('email') }} as email,
        {{ clean_text('phone') }} as phone,
        {{ clean_text('first_name') }} as first_name,
        {{ clean_text('last_name') }} as last_name,
        {{ clean_text('country') }} as country,
        {{ clean_text('region') }} as region,
        {{ clean_text('city') }} as city,
        {{ clean_text('postcode') }} as postcode,
        {{ clean_text('work_country') }} as work_country,
        {{ clean_text('work_city') }} as work_city,
        {{ clean_text('language') }} as language, -- noqa: RF04
        {{ clean_text('home_store_id') }} as home_store_id,
        {{ clean_code('membership_type') }} as membership_type,
        {{ clean_code('loyalty_tier') }} as loyalty_tier,
        {{ clean_code('enrolment_channel') }} as enrolment_channel,
        {{ clean_code('preferred_contact_channel') }} as preferred_contact_channel,
        {{ clean_text('referred_by_customer_id') }} as referred_by_customer_id,
        cast(updated_at as timestamp) as updated_at,
        {{ landing_columns() }}
    from landed
),

{{ judged_rows(
    key=['customer_id'],
    required=['customer_id'],
    impossible={
        impossible.signed_up_at.sentence: impossible.signed_up_at.condition,
        impossible.birth_date.sentence: impossible.birth_date.condition,
        impossible.annual_income.sentence: impossible.annual_income.condition
    },
    decided=['signed_up_date', 'is_current'],
    stands='is_current'
) }},

{{ row_versions(key=['customer_id']) }},

-- Customers whose every version is in quarantine: they are customers all the same, and what they bought counts.
-- A sound version beside one in quarantine makes two rows of the key, so it is among the versions numbered above.
known_by_no_sound_row as (
    select
        judged.batch,
        judged.source_row,
        row_number() over (
            partition by judged.customer_id
            order by judged.loaded_at desc, judged.source_row desc, judged.batch desc
        ) as version_number
    from judged
    where
        judged.quarantine_reason is not null
        and judged.customer_id is not null
        and not exists (
            select 1 from row_versions as sound
            where sound.customer_id = judged.customer_id
        )
),

settled as (
    select
        judged.*,
        case when {{ impossible.signed_up_at.condition }} then null else {{ business_date('signed_up_at') }} end as signed_up_date,
        {{ row_status() }} as row_status,
        case
            when judged.quarantine_reason is null then coalesce(row_versions.version_number, 1) = 1
            else coalesce(known_by_no_sound_row.version_number, 0) = 1
        end as is_current,
        {{ written_in_run() }}
    from judged
    left join row_versions on judged.batch = row_versions.batch and judged.source_row = row_versions.source_row
    left join
        known_by_no_sound_row
        on judged.batch = known_by_no_sound_row.batch and judged.source_row = known_by_no_sound_row.source_row
),

{{ rows_to_write(stands='is_current') }}

select * from final
