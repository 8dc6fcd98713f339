{#-
    Who was recorded as a member when a campaign began (history.campaign_members), before this night writes its own day. A body for a CTE.

    Read without ref: lift is judged by the gate, and the history is written after it. What this night adds begins today, so that nothing
    of it could be measured yet. Before the first night there is nothing, with the right types.
-#}
{% macro recorded_campaign_members() -%}
    {%- set recorded = adapter.get_relation(database=target.database, schema='history', identifier='campaign_members') if execute -%}
    {%- if recorded %}
    select
        as_of_date,
        campaign_id,
        audience_id,
        customer_id,
        is_holdout,
        value_tier
    from {{ recorded }}
    {%- else %}
    select
        cast(null as date) as as_of_date,
        cast(null as {{ dbt.type_string() }}) as campaign_id,
        cast(null as {{ dbt.type_string() }}) as audience_id,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        cast(null as boolean) as is_holdout,
        cast(null as {{ dbt.type_string() }}) as value_tier
    where 1 = 0
    {%- endif %}
{%- endmacro %}

{#- Whether a campaign says that it is for an audience: by the name of its file, or by its name for people, in capitals or not. -#}
{% macro is_targeted(target_audience, rules) -%}
    lower({{ target_audience }}) in ({{ rules }}.audience_id, lower({{ rules }}.name))
{%- endmacro %}
