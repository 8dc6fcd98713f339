{#-
    Columns without which a row says nothing, in one pass over the model. Returns the rows where one of them is null.
    Keys are tested by `grain`.
-#}
{% test values_present(model, columns) %}

select {{ columns | join(', ') }}
from {{ model }}
where {% for column in columns %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}

{% endtest %}
