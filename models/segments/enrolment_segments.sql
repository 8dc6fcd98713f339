with programme as (

    select * from {{ ref('customer_programme_features') }}

),

final as (

    select
        customer_id,
        as_of_date,
        enrolment_channel as segment,
        enrolled_date,
        months_since_enrolment,
        tenure_band
    from programme

)

select * from final
