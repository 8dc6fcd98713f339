{%- set cuts = [1, 2, 3, 4] -%}

with features as (

    select
        customer_id,
        as_of_date,
        recency_days,
        order_count,
        {{ rfm_monetary_value() }} as monetary_value
    from {{ ref('customer_order_features') }}

),

cut_points as (

    select * from {{ ref('rfm_cut_points') }}

),

rules as (

    select * from {{ ref('rfm_rules') }}

),

cut_points_wide as (

    select
        {%- for measure in ['recency_days', 'order_count', 'monetary_value'] %}
        {%- for cut in cuts %}
        max(case when measure = '{{ measure }}' and cut = {{ cut }} then value end) as {{ measure }}_{{ cut }},
        {%- endfor %}
        {%- endfor %}
        count(*) as cut_points
    from cut_points

),

-- A score counts the cut points strictly below the value: equal values always get equal scores. Days of recency count the other way round.
scored as (

    select
        features.customer_id,
        5
        {%- for cut in cuts %}
        - case when features.recency_days > cut_points_wide.recency_days_{{ cut }} then 1 else 0 end
        {%- endfor %} as recency_score,
        1
        {%- for cut in cuts %}
        + case when features.order_count > cut_points_wide.order_count_{{ cut }} then 1 else 0 end
        {%- endfor %} as frequency_score,
        1
        {%- for cut in cuts %}
        + case when features.monetary_value > cut_points_wide.monetary_value_{{ cut }} then 1 else 0 end
        {%- endfor %} as monetary_score
    from features
    cross join cut_points_wide
    where features.order_count > 0

),

-- At most 125 states: the rules are tried on these and not on every customer.
states as (

    select distinct
        recency_score,
        frequency_score,
        monetary_score
    from scored

),

matches as (

    select
        states.recency_score,
        states.frequency_score,
        states.monetary_score,
        rules.segment,
        row_number() over (
            partition by states.recency_score, states.frequency_score, states.monetary_score
            order by rules.priority
        ) as match_number
    from states
    inner join rules
        on
            states.recency_score between rules.recency_min and rules.recency_max
            and states.frequency_score between rules.frequency_min and rules.frequency_max
            and states.monetary_score between rules.monetary_min and rules.monetary_max

),

named as (

    select
        scored.customer_id,
        scored.recency_score,
        scored.frequency_score,
        scored.monetary_score,
        matches.segment
    from scored
    left join matches
        on
            scored.recency_score = matches.recency_score
            and scored.frequency_score = matches.frequency_score
            and scored.monetary_score = matches.monetary_score
            and matches.match_number = 1

),

final as (

    select
        features.customer_id,
        features.as_of_date,
        case when features.order_count = 0 then 'none' else named.segment end as segment,
        features.recency_days,
        features.order_count,
        features.monetary_value,
        cast(named.recency_score as integer) as recency_score,
        cast(named.frequency_score as integer) as frequency_score,
        cast(named.monetary_score as integer) as monetary_score
    from features
    left join named on features.customer_id = named.customer_id

)

select * from final
