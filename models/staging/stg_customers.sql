{%- set impossible = impossible_customer_values() -%}
with

base as (
    select * from {{ ref('base_customers') }}
),

-- Used rows, and for a customer known only by rows in quarantine the newest of them, without its impossible values.
final as (
    select
        customer_id,
        case when {{ impossible.signed_up_at.condition }} then null else signed_up_at end as signed_up_at,
        case when {{ impossible.birth_date.condition }} then null else birth_date end as birth_date,
        age_band,
        gender,
        marital_status,
        household_size,
        children,
        education,
        occupation,
        employer,
        job_level,
        case when {{ impossible.annual_income.condition }} then null else annual_income end as annual_income,
        income_band,
        home_ownership,
        email,
        phone,
        first_name,
        last_name,
        country,
        region,
        city,
        postcode,
        work_country,
        work_city,
        language,
        home_store_id,
        membership_type,
        loyalty_tier,
        enrolment_channel,
        preferred_contact_channel,
        referred_by_customer_id,
        updated_at,
        signed_up_date
    from base
    where is_current
)

select * from final
