{%- set measures = ['recency_days', 'order_count', 'monetary_value'] -%}
{%- set shares = {1: 0.2, 2: 0.4, 3: 0.6, 4: 0.8} -%}
{%- if var('rfm_cut_points') not in ['percentile', 'fixed'] -%}
    {{ exceptions.raise_compiler_error(
        "The variable rfm_cut_points is '" ~ var('rfm_cut_points') ~ "'. Set it to percentile or to fixed, in source.yml under vars."
    ) }}
{%- endif -%}

{%- if var('rfm_cut_points') == 'fixed' -%}

    with fixed as (

        select * from {{ ref('rfm_fixed_cut_points') }}

    ),

    final as (

        select
            measure,
            cut,
            cast(value as decimal(18, 4)) as value -- noqa: RF04
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
        {%- for cut, share in shares.items() %}
        {{ percentile_cut(measure, share) }} as {{ measure }}_{{ cut }},
        {%- endfor %}
        {%- endfor %}
        count(*) as buyers
    from buyers

),

-- Without a single buyer there is nothing to cut, and no row.
final as (
    {% for measure in measures %}
    {%- for cut in shares %}
    select
        '{{ measure }}' as measure,
        {{ cut }} as cut,
        cast({{ measure }}_{{ cut }} as decimal(18, 4)) as value -- noqa: RF04
    from percentiles
    where buyers > 0
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
)

{%- endif %}

select * from final
