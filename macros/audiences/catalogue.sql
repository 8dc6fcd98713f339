{#-
    What a definition may name: the tables of events, the events read from them, the features of a customer. Nothing else becomes SQL.
    Segments are those of `segmentations()`. The reference of the language is docs/audiences.md.
-#}

{#- The tables that hold events. lookup: a table joined for the columns that describe what the event is about. -#}
{% macro audience_tables() -%}
    {{ return({
        'orders': {'model': 'int_orders'},
        'lines': {
            'model': 'int_order_lines',
            'lookup': {'model': 'stg_products', 'key': 'product_id', 'columns': [
                'brand', 'department', 'category', 'quality_tier', 'is_private_label',
            ]},
        },
        'web': {'model': 'stg_web_events'},
        'messages': {'model': 'stg_campaign_contacts'},
        'tickets': {'model': 'stg_support_tickets'},
        'redemptions': {'model': 'stg_coupon_redemptions'},
        'points': {'model': 'stg_loyalty_ledger'},
        'answers': {'model': 'int_survey_answers'},
        'referrals': {'model': 'stg_referrals', 'customer': 'referrer_customer_id'},
    }) }}
{%- endmacro %}

{#-
    The events, {event: {table, at, date, condition, fields}}.

    at, date: when it happened (UTC), and the day of that in the business timezone.
    condition: which rows of the table are such an event; all of them where there is none.
    fields: {field: [column, type]}, what filters and measures may name. Types are text, number and boolean.
-#}
{% macro audience_events() -%}
    {%- set order_fields = {
        'amount': ['net_amount', 'number'], 'gross_amount': ['gross_amount', 'number'],
        'returned_amount': ['returned_amount', 'number'], 'discount_amount': ['discount_amount', 'number'],
        'coupon_amount': ['coupon_amount', 'number'], 'lines': ['line_count', 'number'], 'units': ['units', 'number'],
        'store': ['store_id', 'text'], 'channel': ['channel', 'text'], 'payment_method': ['payment_method', 'text'],
        'is_promoted': ['is_promoted', 'boolean'], 'has_coupon': ['has_coupon', 'boolean'],
    } -%}
    {%- set line_fields = {
        'product': ['product_id', 'text'], 'brand': ['brand', 'text'], 'department': ['department', 'text'],
        'category': ['category', 'text'], 'quality_tier': ['quality_tier', 'text'],
        'is_private_label': ['is_private_label', 'boolean'], 'order': ['order_id', 'text'], 'store': ['store_id', 'text'],
        'channel': ['channel', 'text'], 'payment_method': ['payment_method', 'text'],
    } -%}
    {%- set message_fields = {'campaign': ['campaign_id', 'text'], 'channel': ['channel', 'text']} -%}
    {%- set ticket_fields = {'topic': ['topic', 'text'], 'satisfaction_score': ['satisfaction_score', 'number']} -%}
    {{ return({
        'purchase': {
            'table': 'orders', 'at': 'ordered_at', 'date': 'order_date', 'condition': 'is_purchase', 'fields': order_fields,
        },
        'item_purchase': {
            'table': 'lines', 'at': 'ordered_at', 'date': 'order_date', 'condition': 'is_purchase_line',
            'fields': dict(
                line_fields, amount=['purchased_amount', 'number'], units=['units', 'number'],
                discount_amount=['discount_amount', 'number'], coupon_amount=['coupon_amount', 'number'],
                is_promoted=['is_promoted_line', 'boolean']
            ),
        },
        'item_return': {
            'table': 'lines', 'at': 'ordered_at', 'date': 'order_date', 'condition': 'not is_purchase_line',
            'fields': dict(line_fields, amount=['returned_amount', 'number']),
        },
        'web_event': {
            'table': 'web', 'at': 'occurred_at', 'date': 'occurred_date',
            'fields': {
                'name': ['event_name', 'text'], 'product': ['product_id', 'text'], 'category': ['category', 'text'],
                'channel': ['channel', 'text'], 'referrer': ['referrer', 'text'],
            },
        },
        'message_sent': {'table': 'messages', 'at': 'sent_at', 'date': 'sent_date', 'fields': message_fields},
        'message_opened': {'table': 'messages', 'at': 'opened_at', 'date': 'opened_date', 'fields': message_fields},
        'message_clicked': {'table': 'messages', 'at': 'clicked_at', 'date': 'clicked_date', 'fields': message_fields},
        'ticket_opened': {'table': 'tickets', 'at': 'opened_at', 'date': 'opened_date', 'fields': ticket_fields},
        'ticket_answered': {'table': 'tickets', 'at': 'first_reply_at', 'date': 'first_reply_date', 'fields': ticket_fields},
        'ticket_closed': {'table': 'tickets', 'at': 'closed_at', 'date': 'closed_date', 'fields': ticket_fields},
        'coupon_redeemed': {
            'table': 'redemptions', 'at': 'redeemed_at', 'date': 'redeemed_date',
            'fields': {'coupon': ['coupon_id', 'text'], 'campaign': ['campaign_id', 'text']},
        },
        'points_moved': {
            'table': 'points', 'at': 'occurred_at', 'date': 'occurred_date',
            'fields': {'kind': ['entry_type', 'text'], 'points': ['points', 'number'], 'reward': ['reward_id', 'text']},
        },
        'survey_answered': {
            'table': 'answers', 'at': 'answered_at', 'date': 'answered_date',
            'fields': {'question': ['question', 'text'], 'answer': ['answer', 'text'], 'origin': ['origin', 'text']},
        },
        'referral_made': {
            'table': 'referrals', 'at': 'referred_at', 'date': 'referred_date',
            'fields': {'referred_customer': ['referred_customer_id', 'text']},
        },
    }) }}
{%- endmacro %}

{#- The features, {feature: type}, in the order of customer_profiles: all of its columns that are no segments (a test compares them). -#}
{% macro audience_features() -%}
    {{ return({
        'country': 'text', 'region': 'text', 'home_store_id': 'text', 'market': 'text', 'climate': 'text',
        'membership_type': 'text', 'loyalty_tier': 'text', 'enrolment_channel': 'text', 'age_group': 'text',
        'days_until_birthday': 'number', 'gender': 'text', 'household_type': 'text', 'children_at_home': 'number',
        'education_level': 'text', 'occupation_group': 'text', 'job_level': 'text', 'home_ownership': 'text',
        'income_band': 'text', 'traits': 'text', 'stated_need': 'text', 'customer_since_date': 'date',
        'first_order_date': 'date', 'last_order_date': 'date', 'tenure_days': 'number', 'recency_days': 'number',
        'order_count': 'number', 'orders_30d': 'number', 'orders_90d': 'number', 'orders_365d': 'number', 'net_amount': 'number',
        'net_amount_30d': 'number', 'net_amount_90d': 'number', 'net_amount_365d': 'number', 'mean_order_amount': 'number',
        'returned_share': 'number', 'margin_amount': 'number', 'purchase_days': 'number', 'active_months': 'number',
        'mean_gap_days': 'number', 'usual_gap_days': 'number', 'silence_ratio': 'number', 'last_window_amount': 'number',
        'previous_window_amount': 'number', 'year_ago_window_amount': 'number', 'promoted_spend_share': 'number',
        'promoted_order_share': 'number', 'promotion_index': 'number', 'coupon_order_count': 'number',
        'category_count': 'number', 'leading_category': 'text', 'leading_category_share': 'number',
        'leading_category_lift': 'number', 'affinity_category': 'text', 'affinity_lift': 'number', 'active_periods': 'number',
        'season_peak_month': 'number', 'probability_alive': 'number', 'expected_orders': 'number',
        'expected_order_value': 'number', 'customer_lifetime_value': 'number', 'lifetime_value_trend': 'text',
        'growth_gap': 'number', 'amount_gap': 'number', 'discount_depth': 'number', 'discount_depth_index': 'number',
        'unit_price_index': 'number', 'premium_share': 'number', 'private_label_share': 'number',
        'leading_payment_method': 'text', 'leading_payment_share': 'number', 'leading_channel': 'text',
        'leading_channel_share': 'number', 'holiday_spend_share': 'number', 'holiday_lift': 'number',
        'days_since_comeback': 'number', 'web_days_90d': 'number', 'days_since_last_web_day': 'number',
        'days_since_abandoned_cart': 'number', 'ticket_count_365d': 'number', 'unanswered_ticket_count': 'number',
        'days_since_unreturned_reply': 'number', 'window_contacts': 'number', 'open_rate': 'number', 'click_rate': 'number',
        'response_rate': 'number', 'window_responses': 'number', 'recent_contacts': 'number', 'answer_rate_change': 'number',
        'days_since_last_contact': 'number', 'last_redemption_date': 'date', 'is_unsubscribed': 'boolean',
        'best_weekday': 'number', 'best_hour': 'number', 'months_since_enrolment': 'number', 'tenure_band': 'text',
        'is_member': 'boolean', 'tier_move': 'text', 'points_balance': 'number', 'month_points_earned': 'number',
        'month_points_spent': 'number', 'last_points_redemption_date': 'date', 'recent_referrals_made': 'number',
        'recent_referrals_kept': 'number', 'recommendation_score': 'number', 'satisfaction_score': 'number',
        'ticket_satisfaction': 'number',
    }) }}
{%- endmacro %}
