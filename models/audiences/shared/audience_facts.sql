-- All that any audience asks about a customer, computed for all of them together: each table of events is read once.
-- What is asked is in the files of this folder; the whole list of what may be asked is named here, so that dbt knows it beforehand.
{%- for source in audience_tables().values() -%}
    {%- do ref(source.model) -%}
    {%- if source.lookup is defined -%}{%- do ref(source.lookup.model) -%}{%- endif -%}
{%- endfor -%}
{%- for model in audience_features() -%}{%- do ref(model) -%}{%- endfor -%}
{%- for segmentation in segmentations() -%}{%- do ref(segmentation ~ '_segments') -%}{%- endfor -%}
{%- do ref('int_customers') %}

{% if execute -%}
{{ audience_facts_query(audience_plan(audience_definitions())) }}
{%- endif %}
