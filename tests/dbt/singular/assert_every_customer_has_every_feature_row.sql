-- Why: a family of features that loses a customer loses them from every segmentation that reads it, silently.
-- Both ways: a customer without a row, and a row without a customer. By number and checksum of the ids, because joining every family
-- with the customers took as long as all other tests of features together; `except` between the two tables names the customers.
{{ config(tags=['invariant']) }}

{%- set families = [
    'customer_order_features',
    'customer_rhythm_features',
    'customer_trend_features',
    'customer_promotion_features',
    'customer_category_features',
    'customer_period_features',
    'customer_season_features',
    'customer_growth_features',
    'customer_discount_features',
    'customer_quality_features',
    'customer_payment_features',
    'customer_channel_features',
    'customer_affinity_features',
    'customer_holiday_features',
    'customer_journey_features',
    'customer_response_features',
    'customer_contact_preference_features',
    'customer_programme_features',
    'customer_advocacy_features',
    'customer_demographic_features',
    'customer_socio_economic_features',
    'customer_geographic_features',
    'customer_psychographic_features',
    'customer_socio_cultural_features',
    'customer_needs_features',
] %}

with customers as (

    select
        count(*) as customers,
        {{ checksum('customer_id') }} as id_checksum
    from {{ ref('int_customers') }}

),

families as (
    {% for family in families %}
    select
        '{{ family }}' as feature_model,
        count(*) as family_rows,
        {{ checksum('customer_id') }} as id_checksum
    from {{ ref(family) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
)

select
    families.feature_model,
    families.family_rows,
    customers.customers
from families
cross join customers
where
    families.family_rows <> customers.customers
    or families.id_checksum is distinct from customers.id_checksum
