{#-
    The raw tables whose rows are events, {table: {key, customer, moments}}: what a late row of them changes is the past.

    key: the columns of the key, as the base table has them.
    customer: the column that names the customer without whom the row waits in quarantine; none where it never waits.
    moments: what a version of a row says and from when on it counts, as pairs of a date (an expression) and the columns that count from
    then. So a click that is added to a message touches the days since the click, and an amount that is corrected those since the order.
    Between them the moments name every column of the contract but the key and `updated_at`, which nothing reads (a test compares them).
    A score is told without a date, and an order that a message led to is not older than the click.
-#}
{% macro event_tables() -%}
    {{ return({
        'transactions': {
            'key': ['order_id', 'line_id'],
            'customer': 'customer_id',
            'moments': [
                {'date': 'order_date', 'columns': [
                    'customer_id', 'ordered_at', 'amount', 'product_id', 'quantity', 'discount_amount', 'coupon_amount', 'cost_amount',
                    'store_id', 'channel', 'payment_method', 'status', 'currency',
                ]},
            ],
        },
        'campaign_contacts': {
            'key': ['contact_id'],
            'customer': 'customer_id',
            'moments': [
                {'date': 'sent_date', 'columns': ['campaign_id', 'customer_id', 'channel', 'sent_at']},
                {'date': 'delivered_date', 'columns': ['delivered_at']},
                {'date': 'opened_date', 'columns': ['opened_at']},
                {'date': 'clicked_date', 'columns': ['clicked_at']},
                {'date': 'coalesce(clicked_date, sent_date)', 'columns': ['converted_order_id']},
                {'date': 'unsubscribed_date', 'columns': ['unsubscribed_at']},
            ],
        },
        'coupon_redemptions': {
            'key': ['redemption_id'],
            'customer': 'customer_id',
            'moments': [
                {'date': 'redeemed_date', 'columns': ['customer_id', 'coupon_id', 'campaign_id', 'order_id', 'redeemed_at']},
            ],
        },
        'loyalty_ledger': {
            'key': ['entry_id'],
            'customer': 'customer_id',
            'moments': [
                {'date': 'occurred_date', 'columns': ['customer_id', 'occurred_at', 'entry_type', 'points', 'reward_id', 'order_id']},
            ],
        },
        'web_events': {
            'key': ['event_id'],
            'customer': 'customer_id',
            'moments': [
                {'date': 'occurred_date', 'columns': [
                    'customer_id', 'occurred_at', 'event_name', 'product_id', 'category', 'channel', 'referrer',
                ]},
            ],
        },
        'support_tickets': {
            'key': ['ticket_id'],
            'customer': 'customer_id',
            'moments': [
                {'date': 'opened_date', 'columns': ['customer_id', 'opened_at', 'topic', 'satisfaction_score']},
                {'date': 'first_reply_date', 'columns': ['first_reply_at']},
                {'date': 'customer_replied_date', 'columns': ['customer_replied_at']},
                {'date': 'closed_date', 'columns': ['closed_at']},
            ],
        },
        'survey_answers': {
            'key': ['customer_id', 'question', 'answered_at'],
            'customer': 'customer_id',
            'moments': [{'date': 'answered_date', 'columns': ['answer', 'origin']}],
        },
        'referrals': {
            'key': ['referrer_customer_id', 'referred_customer_id', 'referred_at'],
            'customer': 'referrer_customer_id',
            'moments': [{'date': 'referred_date', 'columns': []}],
        },
        'consents': {
            'key': ['customer_id', 'purpose', 'channel', 'changed_at'],
            'customer': 'customer_id',
            'moments': [{'date': 'changed_date', 'columns': ['is_granted']}],
        },
        'erasure_requests': {
            'key': ['customer_id', 'requested_at'],
            'customer': none,
            'moments': [{'date': 'requested_date', 'columns': []}],
        },
    }) }}
{%- endmacro %}

{#- A UTC timestamp as an SQL literal, or none: the load up to which event_arrivals has looked at what came in. -#}
{% macro examined_up_to() -%}
    {%- if not execute or not is_incremental() -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set latest = run_query('select cast(max(loaded_at) as ' ~ dbt.type_string() ~ ') from ' ~ this).rows[0][0] -%}
    {{ return("timestamp '" ~ latest ~ "'" if latest is not none else none) }}
{%- endmacro %}

{#- True of a load that counts: all of them, or those up to the variable as_known_at, where a night is reproduced as it was known then. -#}
{% macro known_load(loaded_at) -%}
    {%- if var('as_known_at', none) is none -%}
        true
    {%- else -%}
        {{ loaded_at }} <= timestamp '{{ var("as_known_at") }}'
    {%- endif -%}
{%- endmacro %}
