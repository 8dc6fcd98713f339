{#-
    What behaviour clusters are made of: figures of one customer about the year before a day. The same SQL serves the day described (all customers)
    and a fit day (a sample), so that a fit can never see another figure than the one it is scored with.
-#}

{#- The features, in the order of every list and table. What they mean is in seeds/behaviour_cluster_features.csv. -#}
{% macro behaviour_features() -%}
    {{ return(['purchase_days', 'recency_days', 'amount_per_day', 'lines_per_day', 'promoted_share', 'remote_share', 'gap_variation']) }}
{%- endmacro %}

{#- Whether a line was bought away from the store, by the code of its channel: 1, or 0 in the store; null where the channel says nothing. -#}
{% macro is_remote_channel(code) -%}
    case when {{ code }} = 'store' then 0 when {{ code }} not in {{ words_for_nothing() }} then 1 end
{%- endmacro %}

{#-
    The CTEs that count purchases, ending in CTE `behaviour_counts`: one row per key, of customers with a purchase in the window.

    lines: a CTE of order lines (customer_id, order_date, is_purchase_line, is_remote, purchased_amount, promoted_amount), with the other keys in it.
    end_day: a date expression of its columns; lines on that day or later do not count.
    keys: what a row is about.

    Purchase lines and nothing else: what is taken back afterwards would change a year that is over.
-#}
{% macro behaviour_counts_ctes(lines, end_day, keys=['customer_id']) -%}
{%- set key_columns = keys | join(', ') -%}
purchase_lines as (

    select *
    from {{ lines }}
    where
        is_purchase_line
        and order_date < {{ end_day }}
        and order_date >= {{ days_before(end_day, var('behaviour_cluster_window_days')) }}

),

behaviour_days as (

    select
        {{ key_columns }},
        order_date,
        count(*) as line_count,
        sum(purchased_amount) as purchased_amount,
        sum(promoted_amount) as promoted_amount,
        max(is_remote) as remote_day
    from purchase_lines
    group by {{ key_columns }}, order_date

),

gapped_days as (

    select
        *,
        cast({{ days_between(
            'lag(order_date) over (partition by ' ~ key_columns ~ ' order by order_date)', 'order_date'
        ) }} as bigint) as gap_days
    from behaviour_days

),

-- Whole numbers and cents only: exact in any order of the rows.
behaviour_counts as (

    select
        {{ key_columns }},
        count(*) as purchase_days,
        max(order_date) as last_purchase_date,
        cast(sum(line_count) as bigint) as line_count,
        cast(sum(purchased_amount) as decimal(18, 2)) as purchased_amount,
        cast(sum(promoted_amount) as decimal(18, 2)) as promoted_amount,
        count(remote_day) as channel_days,
        cast(coalesce(sum(remote_day), 0) as bigint) as remote_days,
        count(gap_days) as gap_count,
        cast(coalesce(sum(gap_days), 0) as bigint) as gap_sum,
        cast(coalesce(sum(gap_days * gap_days), 0) as bigint) as gap_square_sum
    from gapped_days
    group by {{ key_columns }}

)
{%- endmacro %}

{#-
    The features as columns, from the columns of `behaviour_counts` in a CTE of this name.
    Null is what cannot be known of this customer: the share of nothing, channels that the source does not name.
    gap_variation leans on two gaps of a buyer at random intervals (variation 1): with few gaps it says little, and with none it is 1.
-#}
{% macro behaviour_figures(counts, end_day) -%}
        {{ counts }}.purchase_days,
        {{ days_between(counts ~ '.last_purchase_date', end_day) }} as recency_days,
        {{ mean_to_cents(counts ~ '.purchased_amount', counts ~ '.purchase_days') }} as amount_per_day,
        {{ ratio(counts ~ '.line_count', counts ~ '.purchase_days') }} as lines_per_day,
        {{ ratio(counts ~ '.promoted_amount', counts ~ '.purchased_amount') }} as promoted_share,
        {{ ratio(counts ~ '.remote_days', counts ~ '.channel_days') }} as remote_share,
        case
            when {{ counts }}.gap_count = 0 then cast(1 as double)
            else
                sqrt({{ ratio(
                    '2 + ' ~ counts ~ '.gap_count * ' ~ ratio(
                        counts ~ '.gap_count * ' ~ counts ~ '.gap_square_sum - ' ~ counts ~ '.gap_sum * ' ~ counts ~ '.gap_sum',
                        counts ~ '.gap_sum * ' ~ counts ~ '.gap_sum'
                    ),
                    counts ~ '.gap_count + 2'
                ) }})
        end as gap_variation
{%- endmacro %}

{#-
    A feature on the scale on which distances are taken: amounts and counts by their logarithm, because twice as much is as far from
    once as four times is from twice; shares as they are. Four places, so that both engines compare the same numbers.
-#}
{% macro behaviour_measure(feature) -%}
    {%- if feature in ('promoted_share', 'remote_share') -%}
        {{ rounded(feature) }}
    {%- elif feature == 'gap_variation' -%}
        {{ rounded('ln(gap_variation)') }}
    {%- else -%}
        {{ rounded('ln(1 + cast(' ~ feature ~ ' as double))') }}
    {%- endif -%}
{%- endmacro %}

{#- The way back, from the scale of distances to what people read; `measure` is an expression. -#}
{% macro behaviour_figure_of(feature, measure) -%}
    {%- if feature in ('promoted_share', 'remote_share') -%}
        {{ measure }}
    {%- elif feature == 'gap_variation' -%}
        exp({{ measure }})
    {%- else -%}
        exp({{ measure }}) - 1
    {%- endif -%}
{%- endmacro %}

{#- The first day of the calendar of fits in the year or the quarter (`period`) of a date. -#}
{% macro first_fit_day_of(period, date) -%}
    {%- if var('fit_every') == 'week' -%}
        cast({{ dbt.date_trunc('week', dbt.dateadd('day', 6, dbt.date_trunc(period, date))) }} as date)
    {%- else -%}
        cast({{ dbt.date_trunc(period, date) }} as date)
    {%- endif -%}
{%- endmacro %}

{#- How many clusters scoring has room for; the threshold behaviour_cluster_maximum_clusters stays below it. -#}
{% macro cluster_slots() -%}
    {{ return(10) }}
{%- endmacro %}

{#- The settings that give the parameters of behaviour_cluster their meaning, as orchestration/prediction/behaviour_clusters.py writes them down. -#}
{% macro behaviour_cluster_fitted_with() -%}
    '{{ var('behaviour_cluster_window_days') }} days'
{%- endmacro %}

{#- The scales of all features as columns of one row: lower and upper end, centre and scale of each, from rows of name, figure and value. -#}
{% macro cluster_scales(features) %}
    {%- for feature in features %}
        {%- set last = loop.last %}
        {%- for figure in ['lower', 'upper', 'centre', 'scale'] %}
        max(case when name = '{{ feature }}' and figure = '{{ figure }}' then value end) as {{ feature }}_{{ figure }}
            {{- ',' if not (last and loop.last) }}
        {%- endfor %}
    {%- endfor %}
{% endmacro %}

{#- The centres and names of all clusters as columns of one row, from rows of slot, name, figure and value. -#}
{% macro cluster_centres(features, slots) %}
    {%- for slot in slots %}
        {%- for feature in features %}
        max(case when slot = {{ slot }} and figure = '{{ feature }}' then value end) as {{ feature }}_{{ slot }},
        {%- endfor %}
        max(case when slot = {{ slot }} then name end) as name_{{ slot }}{{ ',' if not loop.last }}
    {%- endfor %}
{% endmacro %}

{#- The measure of each feature, under its name. -#}
{% macro behaviour_measures(features) %}
    {%- for feature in features %}
        {{ behaviour_measure(feature) }} as {{ feature }}{{ ',' if not loop.last }}
    {%- endfor %}
{% endmacro %}

{#- The measures cut off, centred and scaled; 0, which is typical, where a customer's is unknown or the fit did not use it. -#}
{% macro standardised_measures(features) %}
    {%- for feature in features %}
        case
            when measured.{{ feature }} is null or scales.{{ feature }}_scale is null then 0
            else
                (
                    greatest(scales.{{ feature }}_lower, least(scales.{{ feature }}_upper, measured.{{ feature }}))
                    - scales.{{ feature }}_centre
                ) / scales.{{ feature }}_scale
        end as {{ feature }}{{ ',' if not loop.last }}
    {%- endfor %}
{% endmacro %}

{#- The name of each cluster and a customer's distance from its centre; null where there are fewer clusters. -#}
{% macro cluster_distances(features, slots) %}
    {%- for slot in slots %}
        {%- set squares = [] %}
        {%- for feature in features %}
            {%- set way = 'coalesce(standardised.' ~ feature ~ ' - centres.' ~ feature ~ '_' ~ slot ~ ', 0)' %}
            {%- do squares.append(way ~ ' * ' ~ way) %}
        {%- endfor %}
        centres.name_{{ slot }},
        case when centres.name_{{ slot }} is not null then {{ rounded('sqrt(' ~ squares | join(' + ') ~ ')') }} end as distance_{{ slot }}
            {{- ',' if not loop.last }}
    {%- endfor %}
{% endmacro %}

{#- The distance from the nearest centre. -#}
{% macro least_distance(slots) -%}
    least({% for slot in slots %}distance_{{ slot }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{#- The name of the cluster at that distance; of equal ones the first by name. -#}
{% macro nearest_cluster(slots) -%}
    case
    {%- for slot in slots %}
            when distance_{{ slot }} = cluster_distance then name_{{ slot }}
    {%- endfor %}
        end
{%- endmacro %}

{#- The distance from the nearest of the other centres. -#}
{% macro next_cluster_distance(slots) -%}
    least(
    {%- for slot in slots %}
        case when placed.name_{{ slot }} <> placed.cluster_name then placed.distance_{{ slot }} end{{ ',' if not loop.last }}
    {%- endfor %}
    )
{%- endmacro %}
