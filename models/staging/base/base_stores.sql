with

landed as {{ inlined() }} (
    {{ landed_rows(source('landing', 'stores')) }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('store_id') }} as store_id,
        {{ clean_text('store_name') }} as store_name,
        {{ clean_text('city') }} as city,
        {{ clean_text('region') }} as region,
        {{ clean_text('country') }} as country,
        {{ clean_text('market') }} as market,
        {{ clean_code('climate') }} as climate,
        {{ landing_columns() }}
    from landed
),

{{ staged_rows(
    key=['store_id'],
    required=['store_id']
) }}

select * from final
