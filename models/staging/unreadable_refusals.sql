-- Who has said no in a row that is in quarantine: a withdrawal without a date is still one. Until the row is mended they are not contacted.
-- An unreadable answer counts as a no; what no row that can be used has taken the place of since counts at all.
{{ config(materialized='view') }}

with

consents as (

    select * from {{ ref('base_consents') }}

),

contacts as (

    select * from {{ ref('base_campaign_contacts') }}

),

erasure_requests as (

    select * from {{ ref('base_erasure_requests') }}

),

withdrawn as (

    select refused.customer_id
    from consents as refused
    left join consents as mended
        on
            refused.customer_id = mended.customer_id
            and coalesce(refused.purpose, mended.purpose) = mended.purpose
            and refused.channel = mended.channel
            and mended.row_status = 'used'
            and refused.loaded_at < mended.loaded_at
    where
        refused.row_status = 'quarantined'
        and not coalesce(refused.is_granted, false)
        and mended.customer_id is null

),

unsubscribed as (

    select refused.customer_id
    from contacts as refused
    left join contacts as mended
        on
            refused.contact_id = mended.contact_id
            and mended.row_status = 'used'
            and refused.loaded_at < mended.loaded_at
    where
        refused.row_status = 'quarantined'
        and (refused.unsubscribed_at is not null or refused.unreadable_columns like '%unsubscribed_at%')
        and mended.contact_id is null

),

to_be_erased as (

    select refused.customer_id
    from erasure_requests as refused
    left join erasure_requests as mended
        on
            refused.customer_id = mended.customer_id
            and mended.row_status = 'used'
            and refused.loaded_at < mended.loaded_at
    where
        refused.row_status = 'quarantined'
        and mended.customer_id is null

),

everybody as (

    select customer_id from withdrawn
    union
    select customer_id from unsubscribed
    union
    select customer_id from to_be_erased

),

final as (

    select customer_id from everybody
    where customer_id is not null

)

select * from final
