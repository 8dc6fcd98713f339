-- What behaviour clusters are made of, in sums; the year before the day described.
{{ config_roll_up() }}

with order_lines as {{ inlined() }} (

    select * from {{ order_lines_to_read() }}
    where {{ is_refreshed() }}

),

channel_spellings as (

    select distinct channel
    from order_lines

),

-- A text is rewritten once per spelling, not once per line.
channel_codes as (

    select
        channel,
        {{ code_of('channel') }} as channel_code
    from channel_spellings

),

lines_by_channel as (

    select
        order_lines.*,
        {{ is_remote_channel('channel_codes.channel_code') }} as is_remote
    from order_lines
    left join channel_codes on order_lines.channel = channel_codes.channel

),

{{ behaviour_counts_ctes('lines_by_channel', as_of_date()) }}

select * from behaviour_counts
