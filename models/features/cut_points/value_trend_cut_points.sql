{%- set indexes = {
    'previous_visit_index': ('previous', 'last_visits', 'previous_visits'),
    'previous_amount_index': ('previous', 'last_amount', 'previous_amount'),
    'year_ago_visit_index': ('year_ago', 'last_visits', 'year_ago_visits'),
    'year_ago_amount_index': ('year_ago', 'last_amount', 'year_ago_amount'),
} -%}

with trend as (

    select * from {{ ref('customer_trend_features') }}

),

orders as (

    select * from {{ ref('customer_order_features') }}

),

limits as (

    select {{ threshold('trend_index_minimum_customers') }} as index_minimum_customers

),

buyers as (

    select baseline_amount
    from trend
    where baseline_amount > 0

),

counted as (

    select
        baseline_amount,
        sum(count(*)) over (order by baseline_amount) as buyers_up_to,
        sum(count(*)) over () as buyers
    from buyers
    group by baseline_amount

),

-- The smallest amount that all but the high share of the buyers do not exceed.
-- By hand, because the share is a threshold and percentile_disc wants a constant.
high as (

    select
        'baseline_amount' as measure,
        1 as cut,
        cast(min(baseline_amount) as decimal(18, 4)) as value -- noqa: RF04
    from counted
    where buyers_up_to >= (1 - {{ threshold('trend_high_share') }}) * buyers
    having min(baseline_amount) is not null

),

-- Who bought in both windows and was there for the whole of both. Whoever left or came would make the season look worse or
-- better than it was; to have bought in both says nothing about the direction.
comparable as (

    select
        trend.last_window_visits as last_visits,
        trend.previous_window_visits as previous_visits,
        trend.year_ago_window_visits as year_ago_visits,
        greatest(trend.last_window_amount, 0) as last_amount,
        greatest(trend.previous_window_amount, 0) as previous_amount,
        greatest(trend.year_ago_window_amount, 0) as year_ago_amount,
        trend.previous_window_visits > 0 and orders.first_order_date <= trend.previous_window_start as is_previous_comparable,
        coalesce(trend.is_year_ago_observed and trend.year_ago_window_visits > 0, false) as is_year_ago_comparable
    from trend
    inner join orders on trend.customer_id = orders.customer_id
    where trend.last_window_visits > 0

),

summed as (

    select
        {%- for measure, (window, dividend, divisor) in indexes.items() %}
        count(*) filter (where is_{{ window }}_comparable) as {{ measure }}_customers,
        sum(case when is_{{ window }}_comparable then {{ dividend }} else 0 end) as {{ measure }}_dividend,
        sum(case when is_{{ window }}_comparable then {{ divisor }} else 0 end) as {{ measure }}_divisor,
        {%- endfor %}
        count(*) as customers
    from comparable

),

-- How many times as much everybody bought in the last window. Of few customers it is chance, and 1 takes its place.
seasons as (
    {% for measure in indexes %}
    select
        '{{ measure }}' as measure,
        1 as cut,
        cast(case
            when summed.{{ measure }}_customers < limits.index_minimum_customers then 1
            when summed.{{ measure }}_dividend <= 0 or summed.{{ measure }}_divisor <= 0 then 1
            else {{ ten_thousandths(ratio('summed.' ~ measure ~ '_dividend', 'summed.' ~ measure ~ '_divisor')) }} * 0.0001
        end as decimal(18, 4)) as value -- noqa: RF04
    from summed
    cross join limits
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

final as (

    select * from high
    union all
    select * from seasons

)

select * from final
