{#- What RFM calls monetary: all net sales of the customer, or their mean per order (the variable rfm_monetary). -#}
{% macro rfm_monetary_value() -%}
    {%- set monetary = var('rfm_monetary') -%}
    {%- if monetary == 'sum' -%}
        net_amount
    {%- elif monetary == 'mean' -%}
        mean_order_amount
    {%- else -%}
        {{ exceptions.raise_compiler_error("The variable rfm_monetary is '" ~ monetary ~ "'. Set it to sum or to mean, in source.yml under vars.") }}
    {%- endif -%}
{%- endmacro %}
