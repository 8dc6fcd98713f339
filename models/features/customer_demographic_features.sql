with customers as (

    select * from {{ ref('int_customers') }}

),

attributes as (

    select * from {{ ref('stg_customers') }}

),

attribute_values as (

    select
        attribute,
        value,
        code
    from {{ ref('attribute_values') }}

),

age_bands as (

    select * from {{ ref('age_bands') }}

),

age_groups as (

    select * from {{ ref('age_groups') }}

),

limits as (

    select
        {{ threshold('demographic_minimum_plausible_age') }} as minimum_plausible_age,
        {{ threshold('demographic_maximum_plausible_age') }} as maximum_plausible_age,
        {{ threshold('demographic_maximum_household_people') }} as maximum_household_people

),

normalised as (

    select
        customers.customer_id,
        customers.as_of_date,
        attributes.birth_date,
        {{ age_in_years('attributes.birth_date', 'customers.as_of_date') }} as completed_years,
        {{ normalised('attributes.age_band') }} as age_band,
        {{ normalised('attributes.gender') }} as gender,
        {{ normalised('attributes.marital_status') }} as marital_status,
        {{ normalised('attributes.household_size') }} as household_size,
        {{ normalised('attributes.children') }} as children
    from customers
    inner join attributes on customers.customer_id = attributes.customer_id

),

-- A date of birth that gives an impossible age is a placeholder or a mistake: it counts as not given.
aged as (

    select
        normalised.customer_id,
        case
            when normalised.completed_years between limits.minimum_plausible_age and limits.maximum_plausible_age
                then normalised.birth_date
        end as birth_date,
        case
            when normalised.completed_years between limits.minimum_plausible_age and limits.maximum_plausible_age
                then normalised.completed_years
        end as exact_age,
        age_bands.representative_age
    from normalised
    cross join limits
    left join age_bands on normalised.age_band = age_bands.age_band

),

-- Numbers as they are, everything else through the seed; 0 in a household is nobody's answer.
counted as (

    select
        normalised.customer_id,
        genders.code as gender,
        case marital_statuses.code when 'partner' then true when 'no_partner' then false end as has_partner,
        coalesce(try_cast(normalised.household_size as integer), try_cast(household_sizes.code as integer)) as household_people,
        coalesce(try_cast(normalised.children as integer), try_cast(children.code as integer)) as children_at_home
    from normalised
    left join attribute_values as genders
        on genders.attribute = 'gender' and normalised.gender = genders.value
    left join attribute_values as marital_statuses
        on marital_statuses.attribute = 'marital_status' and normalised.marital_status = marital_statuses.value
    left join attribute_values as household_sizes
        on household_sizes.attribute = 'people' and normalised.household_size = household_sizes.value
    left join attribute_values as children
        on children.attribute = 'people' and normalised.children = children.value

),

believed as (

    select
        counted.customer_id,
        counted.gender,
        counted.has_partner,
        case
            when counted.household_people between 1 and limits.maximum_household_people then counted.household_people
        end as household_people,
        case
            when counted.children_at_home between 0 and limits.maximum_household_people then counted.children_at_home
        end as children_at_home
    from counted
    cross join limits

),

-- Who lives together, from what was stated and only from that. First match wins.
households as (

    select
        customer_id,
        case
            -- Alone at home, whatever is said about children: they live elsewhere.
            when household_people = 1 then 'single'
            -- More children than people to live with: the two statements contradict each other.
            when children_at_home >= household_people then null
            when children_at_home > 0 then 'family'
            -- Two at home, one of them the partner: no room for a child.
            when household_people = 2 and has_partner then 'couple'
            -- Children were not asked about: three at home may be a family or not.
            when children_at_home is null then null
            when has_partner then 'couple'
            when household_people > 1 then 'shared_home'
            when not has_partner then 'single'
        end as household_type
    from believed

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,

        coalesce(aged.exact_age, aged.representative_age) as age_years,
        case
            when aged.exact_age is not null then 'birth_date'
            when aged.representative_age is not null then 'age_band'
            else 'none'
        end as age_source,
        age_groups.age_group,
        {{ days_until_birthday('aged.birth_date', 'customers.as_of_date') }} as days_until_birthday,

        coalesce(believed.gender, 'unknown') as gender,
        believed.has_partner,
        believed.household_people,
        believed.children_at_home,
        coalesce(households.household_type, 'unknown') as household_type
    from customers
    left join aged on customers.customer_id = aged.customer_id
    left join believed on customers.customer_id = believed.customer_id
    left join households on customers.customer_id = households.customer_id
    left join age_groups
        on
            coalesce(aged.exact_age, aged.representative_age) >= age_groups.age_from
            and coalesce(aged.exact_age, aged.representative_age) <= age_groups.age_to

)

select * from final
