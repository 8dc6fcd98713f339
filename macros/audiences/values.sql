{#- Values of a definition in SQL: always a literal of the type that the catalogue says, never text that is pasted. -#}
{% macro audience_literal(value, type) -%}
    {%- if type == 'number' and value is number and value is not boolean -%}
        {{ return(('%.4f' % value) if value is float else (value | string)) }}
    {%- elif type == 'boolean' and value is boolean -%}
        {{ return('true' if value else 'false') }}
    {%- elif type == 'date' and value.strftime is defined -%}
        {{ return(audience_date(value)) }}
    {%- elif type == 'text' and value is string -%}
        {{ return(text_literal(value)) }}
    {%- endif -%}
    {{ exceptions.raise_compiler_error('audience: ' ~ value ~ ' is no ' ~ type ~ '; run `segments check`') }}
{%- endmacro %}

{#- A text as an SQL literal. -#}
{% macro text_literal(text) -%}
    {{ return(adapter.dispatch('text_literal', 'customer_segments')(text)) }}
{%- endmacro %}

{% macro default__text_literal(text) -%}
    {{ return("'" ~ (text | replace("'", "''")) ~ "'") }}
{%- endmacro %}

{#- Spark reads a backslash in a literal as an escape, a doubled quote as the end of one literal and the start of the next. -#}
{% macro spark__text_literal(text) -%}
    {{ return("'" ~ (text | replace('\\', '\\\\') | replace("'", "\\'")) ~ "'") }}
{%- endmacro %}

{#-
    The comparison that the operators of a node make with a value, all of them together. Null where the value is unknown, but for the
    operators that deny something: they hold for an unknown value, unless the node says `unknown: excluded`.
    Returns an empty text where the node has no operator.
-#}
{% macro audience_comparison(value, type, node) -%}
    {%- set tests = [] -%}
    {%- set denials = [] -%}
    {%- if 'is' in node -%}
        {%- do tests.append(value ~ ' = ' ~ audience_literal(node['is'], type)) -%}
    {%- endif -%}
    {%- if 'in' in node -%}
        {%- set literals = [] -%}
        {%- for one in node['in'] -%}{%- do literals.append(audience_literal(one, type)) -%}{%- endfor -%}
        {%- do tests.append(value ~ ' in (' ~ literals | join(', ') ~ ')') -%}
    {%- endif -%}
    {%- for operator, sign in {'at_least': '>=', 'above': '>', 'at_most': '<=', 'below': '<'}.items() -%}
        {%- if operator in node -%}
            {%- do tests.append(value ~ ' ' ~ sign ~ ' ' ~ audience_literal(node[operator], type)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if 'between' in node -%}
        {%- do tests.append(
            value ~ ' between ' ~ audience_literal(node['between'][0], type) ~ ' and ' ~ audience_literal(node['between'][1], type)
        ) -%}
    {%- endif -%}
    {%- if 'is_not' in node -%}
        {%- do denials.append(value ~ ' <> ' ~ audience_literal(node['is_not'], type)) -%}
    {%- endif -%}
    {%- if 'not_in' in node -%}
        {%- set literals = [] -%}
        {%- for one in node['not_in'] -%}{%- do literals.append(audience_literal(one, type)) -%}{%- endfor -%}
        {%- do denials.append(value ~ ' not in (' ~ literals | join(', ') ~ ')') -%}
    {%- endif -%}
    {%- for denial in denials -%}
        {%- do tests.append(denial if node.get('unknown') == 'excluded' else 'coalesce(' ~ denial ~ ', true)') -%}
    {%- endfor -%}
    {%- if 'is_known' in node -%}
        {%- do tests.append(value ~ (' is not null' if node['is_known'] else ' is null')) -%}
    {%- endif -%}
    {{ return(tests | join(' and ')) }}
{%- endmacro %}
