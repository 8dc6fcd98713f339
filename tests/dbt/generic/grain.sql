{#-
    The grain of a model: its key columns together are never repeated and never null (but for those that are `nullable`), and columns
    that are `required` are never null. Returns each key that breaks it, with its rows and those of them without a required value.
    One pass and one test for a table: a test for each column would cost a night more than the tables themselves.
-#}
{% test grain(model, columns, required=[], nullable=[]) %}

select
    {{ columns | join(',\n    ') }},
    {%- for column in required %}
    count(*) - count({{ column }}) as rows_without_{{ column }},
    {%- endfor %}
    count(*) as rows_of_key
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {%- for column in columns if column not in nullable %}
    or {{ column }} is null
    {%- endfor %}
    {%- for column in required %}
    or count({{ column }}) < count(*)
    {%- endfor %}

{% endtest %}
