-- A view, like all inputs of fits. It asks order lines and no roll-up: what a later day brought to an earlier order must not be seen.
-- Whoever reads it asks for one day. No CTE after the days is read twice: engines would then work it out whole, for all days.
{{ config(materialized='view') }}

with order_lines as {{ inlined() }} (

    select * from {{ ref('int_order_lines') }}

),

cluster_days as (

    select distinct counted_until
    from {{ ref('fit_cluster_days') }}

),

limits as (

    select
        cast({{ threshold('behaviour_cluster_minimum_purchase_days') }} as integer) as minimum_purchase_days,
        cast({{ threshold('behaviour_cluster_sample_customers') }} as integer) as sample_customers
),

buyers as (

    select
        cluster_days.counted_until,
        order_lines.customer_id
    from order_lines
    inner join cluster_days
        on
            order_lines.order_date < cluster_days.counted_until
            and order_lines.order_date >= {{ days_before('cluster_days.counted_until', var('behaviour_cluster_window_days')) }}
    where order_lines.is_purchase_line
    group by cluster_days.counted_until, order_lines.customer_id

),

-- The same customers from one fit to the next, but for those who came or went.
numbered as (

    select
        *,
        row_number() over (partition by counted_until order by {{ dbt.hash('customer_id') }}, customer_id) as customer_number
    from buyers

),

sampled as (

    select numbered.*
    from numbered
    cross join limits
    where numbered.customer_number <= limits.sample_customers

),

sampled_lines as (

    select
        sampled.counted_until,
        sampled.customer_number,
        order_lines.*,
        {{ code_of('order_lines.channel') }} as channel_code
    from order_lines
    inner join sampled on order_lines.customer_id = sampled.customer_id

),

lines_by_channel as (

    select
        *,
        {{ is_remote_channel('channel_code') }} as is_remote
    from sampled_lines

),

{{ behaviour_counts_ctes('lines_by_channel', 'counted_until', ['counted_until', 'customer_number']) }},

figures as (

    select
        behaviour_counts.counted_until,
        behaviour_counts.customer_number,
        {{ behaviour_figures('behaviour_counts', 'behaviour_counts.counted_until') }}
    from behaviour_counts
    cross join limits
    where behaviour_counts.purchase_days >= limits.minimum_purchase_days

),

final as (

    select
        counted_until,
        {%- for feature in behaviour_features() %}
        {{ behaviour_measure(feature) }} as {{ feature }},
        {%- endfor %}
        customer_number
    from figures

)

select * from final
