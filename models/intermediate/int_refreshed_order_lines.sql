-- The lines of the customers that roll-ups of lines compute again: several roll-ups read them, and finding them takes a pass over all lines.
{{ config(tags=['roll_up']) }}

with order_lines as (

    select * from {{ ref('int_order_lines') }}

),

refreshed_customers as (

    select * from {{ ref('int_refreshed_customers') }}
    where roll_up in ('{{ roll_ups_of_lines() | join("', '") }}')

),

final as (

    select * from order_lines
    where customer_id in (select refreshed_customers.customer_id from refreshed_customers)

)

select * from final
