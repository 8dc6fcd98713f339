with customers as (

    select * from {{ ref('customer_purchase_features') }}

),

in_force as (

    select * from {{ ref('model_parameters_in_force') }}

),

expected_orders as (

    select * from {{ ref('stg_expected_orders') }}

),

fitted as (

    select
        max(case when model = 'bg_nbd' and parameter = 'r' then value end) as r,
        max(case when model = 'bg_nbd' and parameter = 'alpha' then value end) as alpha,
        max(case when model = 'bg_nbd' and parameter = 'a' then value end) as a,
        max(case when model = 'bg_nbd' and parameter = 'b' then value end) as b,
        max(case when model = 'gamma_gamma' and parameter = 'p' then value end) as p,
        max(case when model = 'gamma_gamma' and parameter = 'q' then value end) as q,
        max(case when model = 'gamma_gamma' and parameter = 'gamma' then value end) as gamma
    from in_force

),

-- What a repeat purchase brought on average, for as long as no fit says more.
observed as (

    select {{ ratio('greatest(sum(repeat_amount), 0)', 'sum(frequency)') }} as mean_amount
    from customers

),

parameters as (

    select
        fitted.*,
        observed.mean_amount
    from fitted
    cross join observed

),

limits as (

    select {{ threshold('lifetime_value_trend_change') }} as trend_change

),

expected as (

    select
        customers.*,
        {{ probability_alive('customers.frequency', 'customers.recency_days', 'customers.age_days') }} as probability_alive,
        {{ probability_alive('customers.earlier_frequency', 'customers.earlier_recency_days', 'customers.earlier_age_days') }}
            as earlier_probability_alive,
        {{ expected_order_value('customers.frequency', 'customers.monetary_value') }} as order_value,
        {{ expected_order_value('customers.earlier_frequency', 'customers.earlier_monetary_value') }} as earlier_order_value
    from customers
    cross join parameters

),

valued as (

    select
        expected.*,
        expected.probability_alive * ahead.expected_orders as expected_orders,
        expected.probability_alive * ahead.discounted_orders * expected.order_value as lifetime_value,
        expected.earlier_probability_alive * ahead_earlier.discounted_orders * expected.earlier_order_value as earlier_value
    from expected
    left join expected_orders as ahead
        on
            expected.frequency = ahead.frequency
            and expected.age_days = ahead.age_days
    left join expected_orders as ahead_earlier
        on
            expected.earlier_frequency = ahead_earlier.frequency
            and expected.earlier_age_days = ahead_earlier.age_days

),

rounded as (

    select
        *,
        {{ predicted_money('order_value') }} as expected_order_value,
        {{ predicted_money('lifetime_value') }} as customer_lifetime_value,
        {{ predicted_money('earlier_value') }} as earlier_lifetime_value
    from valued

),

final as (

    select
        rounded.customer_id,
        rounded.as_of_date,

        rounded.frequency,
        rounded.recency_days,
        rounded.age_days,
        rounded.monetary_value,

        rounded.probability_alive,
        rounded.expected_orders,
        rounded.expected_order_value,
        rounded.customer_lifetime_value,
        cast({{ var('lifetime_value_horizon_days') }} as integer) as horizon_days,

        rounded.earlier_date,
        rounded.earlier_lifetime_value,
        case
            when rounded.customer_lifetime_value is null then 'none'
            when rounded.earlier_lifetime_value is null then 'new'
            when rounded.customer_lifetime_value > rounded.earlier_lifetime_value * (1 + limits.trend_change) then 'rising'
            when rounded.customer_lifetime_value < rounded.earlier_lifetime_value * (1 - limits.trend_change) then 'falling'
            else 'steady'
        end as lifetime_value_trend
    from rounded
    cross join limits

)

select * from final
