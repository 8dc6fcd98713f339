{%- set measures = ['recency_days', 'order_count', 'monetary_value'] -%}
{%- set shares = ['0.2', '0.4', '0.6', '0.8'] -%}
{%- set source = var('rfm_cut_points') -%}
{%- if source not in ['percentile', 'fixed'] -%}
    {{ exceptions.raise_compiler_error("The variable rfm_cut_points is '" ~ source ~ "'. Set it to percentile or to fixed, in source.yml under vars.") }}
{%- endif -%}

{%- if source == 'fixed' -%}

with fixed as (

    select * from {{ ref('rfm_fixed_cut_points') }}

),

final as (

    select
        measure,
        cut,
        cast(value as decimal(18, 4)) as value
    from fixed

)

{%- else -%}

with buyers as (

    select
        recency_days,
        order_count,
        {{ rfm_monetary_value() }} as monetary_value
    from {{ ref('customer_order_features') }}
    where order_count > 0

),

percentiles as (

    select
        {%- for measure in measures %}
        {%- set outer_last = loop.last %}
        {%- for share in shares %}
        {{ percentile_cut(measure, share) }} as {{ measure }}_{{ loop.index }}{{ '' if outer_last and loop.last else ',' }}
        {%- endfor %}
        {%- endfor %}
    from buyers

),

-- Without a single buyer there is nothing to cut, and no row.
final as (
    {% for measure in measures %}
    {%- set outer_first = loop.first %}
    {%- for share in shares %}
    {{ '' if outer_first and loop.first else 'union all' }}
    select
        '{{ measure }}' as measure,
        {{ loop.index }} as cut,
        cast({{ measure }}_{{ loop.index }} as decimal(18, 4)) as value
    from percentiles
    where {{ measure }}_{{ loop.index }} is not null
    {%- endfor %}
    {%- endfor %}

)

{%- endif %}

select * from final
