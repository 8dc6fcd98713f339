-- Why: equal values must get equal scores (NTILE splits them), and a better value must never get a lower score.
-- Within each measure the values of a lower score must all lie strictly before those of the next.
{% set measures = {'recency_days': 'recency_score', 'order_count': 'frequency_score', 'monetary_value': 'monetary_score'} %}

with buyers as (

    select * from {{ ref('rfm_segments') }}
    where order_count > 0

),

ranges as (

    {% for measure, score in measures.items() %}
    select
        '{{ measure }}' as measure,
        {{ score if measure != 'recency_days' else '-' ~ score }} as score_in_order_of_value,
        cast(min({{ measure }}) as decimal(18, 2)) as lowest,
        cast(max({{ measure }}) as decimal(18, 2)) as highest
    from buyers
    group by {{ score }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

)

select
    lower_range.measure,
    lower_range.highest,
    higher_range.lowest
from ranges as lower_range
inner join ranges as higher_range
    on
        lower_range.measure = higher_range.measure
        and lower_range.score_in_order_of_value < higher_range.score_in_order_of_value
where lower_range.highest >= higher_range.lowest
