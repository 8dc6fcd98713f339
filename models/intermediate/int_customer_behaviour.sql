-- What behaviour clusters are made of, in sums; the year before the day described.
{{ config_roll_up() }}

with order_lines as {{ inlined() }} (

    select * from {{ order_lines_to_read() }}
    where {{ is_refreshed() }}

),

{{ behaviour_counts_ctes('order_lines', as_of_date()) }}

select * from behaviour_counts
