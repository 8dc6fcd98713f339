with

landed as {{ inlined() }} (
    {{ landed_rows(source('landing', 'campaigns')) }}
),

typed as {{ inlined() }} (
    select
        {{ clean_text('campaign_id') }} as campaign_id,
        {{ clean_text('campaign_name') }} as campaign_name,
        {{ clean_text('campaign_type') }} as campaign_type,
        {{ clean_code('channel') }} as channel,
        cast(starts_on as date) as starts_on,
        cast(ends_on as date) as ends_on,
        cast(cost_amount as decimal(18, 2)) as cost_amount,
        {{ clean_text('target_audience') }} as target_audience,
        {{ landing_columns() }}
    from landed
),

{{ staged_rows(
    key=['campaign_id'],
    required=['campaign_id'],
    impossible={
        'ends_on is before starts_on': "ends_on < starts_on",
        'cost_amount is below zero': "cost_amount < 0"
    }
) }}

select * from final
