-- A view, like all inputs of fits: thresholds as Python needs them, overrides of the source included.
{{ config(materialized='view') }}

select
    cast({{ threshold('behaviour_cluster_minimum_customers') }} as integer) as minimum_customers,
    cast({{ threshold('behaviour_cluster_minimum_clusters') }} as integer) as minimum_clusters,
    cast({{ threshold('behaviour_cluster_maximum_clusters') }} as integer) as maximum_clusters,
    cast({{ threshold('behaviour_cluster_minimum_share') }} as double) as minimum_share,
    cast({{ threshold('behaviour_cluster_minimum_known_share') }} as double) as minimum_known_share,
    cast({{ threshold('behaviour_cluster_cut_share') }} as double) as cut_share,
    cast({{ threshold('behaviour_cluster_resamples') }} as integer) as resamples,
    cast({{ threshold('behaviour_cluster_maximum_move') }} as double) as maximum_move,
    cast({{ threshold('behaviour_cluster_minimum_deviation') }} as double) as minimum_deviation,
    cast({{ threshold('behaviour_cluster_typical_deviation') }} as double) as typical_deviation
