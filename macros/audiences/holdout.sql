{#-
    Holdouts: a person is on the same side night after night and on every engine, because the side is read off a hash of one packed text.
    The first eight hexadecimal digits of an MD5 are below the limit for the share that the limit is of all 4,294,967,296; compared as text,
    so nothing has to be converted.
-#}
{% macro audience_holdout_limit(percent) -%}
    {{ return('%08x' % (percent * 42949672.96) | int) }}
{%- endmacro %}

{% macro is_in_holdout(audience, customer, limit) -%}
    substring(md5({{ audience }} || ':' || {{ customer }}), 1, 8) < {{ limit }}
{%- endmacro %}

{#- The SHA-256 of a text, in hexadecimal digits. -#}
{% macro sha256_of(text) -%}
    {{ return(adapter.dispatch('sha256_of', 'customer_segments')(text)) }}
{%- endmacro %}

{% macro default__sha256_of(text) -%}
    sha256({{ text }})
{%- endmacro %}

{% macro spark__sha256_of(text) -%}
    sha2({{ text }}, 256)
{%- endmacro %}
