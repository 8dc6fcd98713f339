{#- The named columns of a row as one JSON text, nulls included, for a person who mends it. -#}
{% macro row_as_json(columns) -%}
    {{ return(adapter.dispatch('row_as_json', 'customer_segments')(columns)) }}
{%- endmacro %}

{% macro default__row_as_json(columns) -%}
    cast(json_object({% for column in columns %}'{{ column }}', {{ column }}{{ ', ' if not loop.last }}{% endfor %}) as string)
{%- endmacro %}

{% macro spark__row_as_json(columns) -%}
    to_json(named_struct({% for column in columns %}'{{ column }}', {{ column }}{{ ', ' if not loop.last }}{% endfor %}), map('ignoreNullFields', 'false'))
{%- endmacro %}

{#- The names of a raw table's columns, from the raw contract (_sources.yml). Empty while dbt only parses, and in unit tests, which know no sources. -#}
{% macro contract_columns(table) -%}
    {{ return(described_columns(table) | map(attribute='name') | list) }}
{%- endmacro %}

{#- The names of the columns of a raw table's key, from the raw contract. -#}
{% macro key_columns(table) -%}
    {{ return(described_columns(table) | selectattr('config.meta.key', 'true') | map(attribute='name') | list) }}
{%- endmacro %}

{#- A raw table's columns as the raw contract describes them. -#}
{% macro described_columns(table) -%}
    {%- set columns = [] -%}
    {%- if execute -%}
        {%- for source in (graph.sources | default({})).values() if source.source_name == 'landing' and source.name == table -%}
            {%- do columns.extend(source.columns.values()) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(columns) }}
{%- endmacro %}

{#- Every raw table of the contract, in its order. -#}
{% macro raw_tables() -%}
    {{ return([
        'customers', 'transactions', 'products', 'stores', 'campaigns', 'campaign_contacts', 'coupon_redemptions',
        'loyalty_ledger', 'web_events', 'support_tickets', 'survey_answers', 'referrals', 'consents', 'erasure_requests',
    ]) }}
{%- endmacro %}
