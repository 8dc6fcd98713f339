-- A view: one model reads it, and it is little more than a join.
{{ config(materialized='view') }}

with customers as (

    select * from {{ ref('int_customers') }}

),

behaviour as (

    select * from {{ ref('int_customer_behaviour') }}

),

figures as (

    select
        behaviour.customer_id,
        {{ behaviour_figures('behaviour', as_of_date()) }}
    from behaviour

),

final as (

    select
        customers.customer_id,
        customers.as_of_date,
        coalesce(figures.purchase_days, 0) as purchase_days,
        figures.recency_days,
        figures.amount_per_day,
        figures.lines_per_day,
        figures.promoted_share,
        figures.remote_share,
        figures.gap_variation
    from customers
    left join figures on customers.customer_id = figures.customer_id

)

select * from final
