with current_profiles as (

    select * from {{ ref('current_profiles') }}

),

final as (

    select
        current_profiles.customer_id,
        current_profiles.as_of_date,
        {%- for feature in audience_features() %}
        current_profiles.{{ feature }},
        {%- endfor %}
        {{ segment_columns('current_profiles') }}
    from current_profiles

)

select * from final
