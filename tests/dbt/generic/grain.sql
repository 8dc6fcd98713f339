{#-
    The grain of a model: its key columns together are never null and never repeated.
    Returns each key that breaks it, with the number of its rows.
-#}
{% test grain(model, columns) %}

select
    {{ columns | join(',\n    ') }},
    count(*) as rows_of_key
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {%- for column in columns %}
    or {{ column }} is null
    {%- endfor %}

{% endtest %}
