with orders as (

    select * from {{ ref('customer_order_features') }}

),

trend as (

    select * from {{ ref('customer_trend_features') }}

),

cut_points as (

    select * from {{ ref('value_trend_cut_points') }}

),

limits as (

    select
        {{ threshold('trend_change_share') }} as change_share,
        {{ threshold('trend_minimum_orders') }} as minimum_orders,
        {{ threshold('trend_evidence') }} as evidence,
        {{ threshold('trend_usual_visits') }} as usual_visits,
        {{ threshold('trend_usual_variation') }} as usual_variation

),

population as (

    select
        max(case when measure = 'baseline_amount' then value end) as high_amount,
        cast(max(case when measure = 'previous_visit_index' then value end) as double) as previous_visit_index,
        max(case when measure = 'previous_amount_index' then value end) as previous_amount_index,
        cast(max(case when measure = 'year_ago_visit_index' then value end) as double) as year_ago_visit_index,
        max(case when measure = 'year_ago_amount_index' then value end) as year_ago_amount_index
    from cut_points

),

-- More taken back than bought in a window counts as nothing spent in it. A window that was not observed is empty and not compared with.
floored as (

    select
        customer_id,
        is_year_ago_observed,
        case when is_year_ago_observed then 2 else 1 end as windows_compared_with,
        last_window_visits as last_visits,
        previous_window_visits as previous_visits,
        coalesce(year_ago_window_visits, 0) as year_ago_visits,
        greatest(last_window_amount, 0) as last_amount,
        greatest(previous_window_amount, 0) as previous_amount,
        greatest(coalesce(year_ago_window_amount, 0), 0) as year_ago_amount,
        last_window_squares as last_squares,
        previous_window_squares as previous_squares,
        coalesce(year_ago_window_squares, 0) as year_ago_squares
    from trend

),

-- What the windows compared with would have been in this season, if the customer had done as everybody.
expected as (

    select
        floored.*,
        floored.previous_amount * population.previous_amount_index as expected_from_previous,
        floored.year_ago_amount * population.year_ago_amount_index as expected_from_year_ago,
        {{ ratio(
            'floored.previous_visits * population.previous_visit_index + floored.year_ago_visits * population.year_ago_visit_index',
            'floored.windows_compared_with'
        ) }} as expected_visits,
        {{ ratio(
            'floored.previous_visits * population.previous_visit_index * population.previous_visit_index'
            ' + floored.year_ago_visits * population.year_ago_visit_index * population.year_ago_visit_index',
            'floored.windows_compared_with * floored.windows_compared_with'
        ) }} as expected_visits_variance,
        {{ ratio('floored.last_amount', 'floored.last_visits') }} as last_basket,
        {{ ratio(
            'floored.previous_amount * population.previous_amount_index / population.previous_visit_index'
            ' + floored.year_ago_amount * population.year_ago_amount_index / population.year_ago_visit_index',
            'floored.previous_visits + floored.year_ago_visits'
        ) }} as expected_basket
    from floored
    cross join population

),

-- How much the baskets differ from the mean of their window, over that mean, and how many of them are free to.
deviations as (

    select
        customer_id,
        {{ basket_deviation('last_visits', 'last_amount', 'last_squares') }}
        + {{ basket_deviation('previous_visits', 'previous_amount', 'previous_squares') }}
        + {{ basket_deviation('year_ago_visits', 'year_ago_amount', 'year_ago_squares') }} as deviation,
        greatest(last_visits - 1, 0) + greatest(previous_visits - 1, 0) + greatest(year_ago_visits - 1, 0) as freedom
    from floored

),

-- The variation of the own baskets, as if some visits of the usual variation had been made as well: two alike show no law.
variations as (

    select
        deviations.customer_id,
        {{ ratio(
            'deviations.deviation + limits.usual_visits * limits.usual_variation',
            'deviations.freedom + limits.usual_visits'
        ) }} as basket_variation
    from deviations
    cross join limits

),

-- Changes in standard deviations of chance. Visits at random differ by the root of their number; a mean basket by the variation over it.
measured as (

    select
        expected.customer_id,
        {{ rounded(
            'coalesce(' ~ ratio(
                'expected.last_visits - expected.expected_visits',
                'sqrt(expected.last_visits + expected.expected_visits_variance)'
            ) ~ ', 0)'
        ) }} as visit_evidence,
        {{ rounded(
            'coalesce(' ~ ratio(
                'expected.last_basket - expected.expected_basket',
                '(expected.last_basket + expected.expected_basket) / 2'
                ' * sqrt(variations.basket_variation'
                ' * (1.0 / nullif(expected.last_visits, 0) + 1.0 / nullif(expected.previous_visits + expected.year_ago_visits, 0)))'
            ) ~ ', 0)'
        ) }} as basket_evidence
    from expected
    inner join variations on expected.customer_id = variations.customer_id

),

-- Compared with the window before and, where it was observed, with the same window a year ago; each must agree. Spend is visits times
-- baskets, and chance is in both: one of the two must have moved further than chance moves it.
compared as (

    select
        expected.customer_id,
        measured.visit_evidence,
        measured.basket_evidence,
        expected.last_amount > expected.expected_from_previous * (1 + limits.change_share)
        and (
            not expected.is_year_ago_observed
            or expected.last_amount > expected.expected_from_year_ago * (1 + limits.change_share)
        )
        and greatest(measured.visit_evidence, measured.basket_evidence) >= limits.evidence as is_above,
        expected.last_amount < expected.expected_from_previous * (1 - limits.change_share)
        and (
            not expected.is_year_ago_observed
            or expected.last_amount < expected.expected_from_year_ago * (1 - limits.change_share)
        )
        and least(measured.visit_evidence, measured.basket_evidence) <= -limits.evidence as is_below
    from expected
    inner join measured on expected.customer_id = measured.customer_id
    cross join limits

),

final as (

    select
        orders.customer_id,
        orders.as_of_date,
        case
            when orders.order_count = 0 then 'none'
            when orders.first_order_date > trend.previous_window_start then 'new'
            -- Nothing bought in both windows. Whoever buys in another season only was as quiet a year ago and has bought since.
            when
                trend.last_window_orders + trend.previous_window_orders = 0
                and not coalesce(trend.year_ago_window_orders = 0 and orders.orders_365d > 0, false)
                then 'inactive'
            when trend.last_window_orders + trend.previous_window_orders < limits.minimum_orders then 'steady'
            when compared.is_above then 'rising'
            when compared.is_below and trend.baseline_amount > population.high_amount then 'declining_from_high'
            when compared.is_below then 'declining'
            else 'steady'
        end as segment,
        orders.first_order_date,
        trend.last_window_orders,
        trend.previous_window_orders,
        trend.last_window_amount,
        trend.previous_window_amount,
        trend.year_ago_window_amount,
        trend.baseline_amount,
        compared.visit_evidence,
        compared.basket_evidence
    from orders
    inner join trend on orders.customer_id = trend.customer_id
    inner join compared on orders.customer_id = compared.customer_id
    cross join population
    cross join limits

)

select * from final
