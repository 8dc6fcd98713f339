{#-
    The grain of a model: its key columns together are never repeated and never null (but for those that are `nullable`), and columns
    that are `required` are never null. Returns each key that breaks it, and `what` is wrong with its rows.
    One pass and one test for a table: a test for each column would cost a night more than the tables themselves.
-#}
{% test grain(model, columns, required=[], nullable=[]) %}

{%- set never_empty = columns | reject('in', nullable) | list + required %}

select
    {{ columns | join(',\n    ') }},
    concat_ws(
        ' and ',
        case when count(*) > 1 then cast(count(*) as string) || ' rows of one key' end
        {%- for column in never_empty %},
        case when count({{ column }}) < count(*) then '{{ column }} is empty' end
        {%- endfor %}
    ) as what
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {%- for column in never_empty %}
    or count({{ column }}) < count(*)
    {%- endfor %}

{% endtest %}
