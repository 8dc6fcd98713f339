{#-
    The birthday a date of birth has in a year: who was born on 29 February has it on 1 March in other years, the day on which
    a year of life is completed. Written without make_date(year, 2, 29), which fails in those years.
-#}
{% macro birthday_in_year(birth_date, year) -%}
    {{ days_before(
        'make_date(' ~ year ~ ', cast(extract(month from ' ~ birth_date ~ ') as integer), 1)',
        '1 - cast(extract(day from ' ~ birth_date ~ ') as integer)'
    ) }}
{%- endmacro %}

{#- Whole years of life completed on a day: one more from the birthday on. -#}
{% macro age_in_years(birth_date, day) -%}
    cast(
        extract(year from {{ day }}) - extract(year from {{ birth_date }})
        - case when {{ day }} < {{ birthday_in_year(birth_date, 'cast(extract(year from ' ~ day ~ ') as integer)') }} then 1 else 0 end
        as integer
    )
{%- endmacro %}

{#- Days until the next birthday: 0 on the day itself. -#}
{% macro days_until_birthday(birth_date, day) -%}
    {%- set this_year = birthday_in_year(birth_date, 'cast(extract(year from ' ~ day ~ ') as integer)') -%}
    {%- set next_year = birthday_in_year(birth_date, 'cast(extract(year from ' ~ day ~ ') as integer) + 1') -%}
    case
        when {{ this_year }} >= {{ day }} then {{ days_between(day, this_year) }}
        else {{ days_between(day, next_year) }}
    end
{%- endmacro %}
