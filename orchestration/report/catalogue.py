"""What the page calls things: the segmentations with the question each answers, the key figures, the features that set segments apart.

Only words: which segmentations, figures and features there are is read from the published tables. One without an entry here is shown
under its own name.
"""

from dataclasses import dataclass

VALUE, JOURNEY, PEOPLE, OTHER = "Value and behaviour", "Journey and response", "Who they are", "Others"
FAMILIES = (VALUE, JOURNEY, PEOPLE, OTHER)

# code: (family, label, the question it answers)
SEGMENTATIONS = {
    "rfm": (VALUE, "Recency, frequency, money", "How lately, how often and for how much do they buy?"),
    "loyalty_status": (VALUE, "Loyalty status", "Do they keep to their own rhythm, or have they fallen silent?"),
    "purchase_rhythm": (VALUE, "Purchase rhythm", "All year round, now and then, or in one season?"),
    "value_tier": (VALUE, "Value tier", "What are they expected to be worth?"),
    "value_trend": (VALUE, "Value trend", "Do they spend more or less than before?"),
    "churn_risk": (VALUE, "Churn risk", "How likely have they gone?"),
    "growth_potential": (VALUE, "Growth potential", "How much more do similar customers buy?"),
    "promotion_affinity": (VALUE, "Promotion affinity", "Do they buy at full price or under promotion?"),
    "price_sensitivity": (VALUE, "Price sensitivity", "How deep must a discount be?"),
    "quality_preference": (VALUE, "Quality preference", "The better article, or more of it?"),
    "payment_preference": (VALUE, "Payment preference", "How do they pay?"),
    "channel_preference": (VALUE, "Channel preference", "Where do they buy and look?"),
    "category_affinity": (VALUE, "Category affinity", "What do they buy more of than others?"),
    "holiday_buying": (VALUE, "Holiday buying", "Do they come for the holidays?"),
    "behaviour_cluster": (VALUE, "Behaviour cluster", "Who behaves alike?"),
    "journey_stage": (JOURNEY, "Journey stage", "Where are they on the way from sign-up to habit?"),
    "campaign_response": (JOURNEY, "Campaign response", "Do they answer when we write?"),
    "contact_preference": (JOURNEY, "Contact preference", "How do they want to be reached?"),
    "enrolment": (JOURNEY, "Enrolment", "Where did they sign up?"),
    "programme_engagement": (JOURNEY, "Programme engagement", "Do they earn and spend points?"),
    "advocacy": (JOURNEY, "Advocacy", "Do they recommend us?"),
    "demographic": (PEOPLE, "Demographic", "Which stage of life are they in?"),
    "socio_economic": (PEOPLE, "Socio-economic", "What are their means?"),
    "geographic": (PEOPLE, "Geographic", "Which market and climate do they live in?"),
    "psychographic": (PEOPLE, "Psychographic", "What do they care for?"),
    "socio_cultural": (PEOPLE, "Socio-cultural", "Which groups do they belong to, where they let us know?"),
    "needs": (PEOPLE, "Needs", "What do they need from us?"),
}

# Segments of customers whom a segmentation cannot place.
UNPLACED = frozenset({"unknown", "none", "not_permitted"})


def words(code: str) -> str:
    """A code as words, where nothing better is known."""
    return code[:1].upper() + code[1:].replace("_", " ")


@dataclass(frozen=True)
class Figure:
    """A number with a name. `kind` says how it is written: number, days, share, money, ratio."""

    code: str
    label: str
    kind: str
    meaning: str = ""


# Columns of segment_kpis; average_revenue is what we add: net sales per customer.
KPIS = (
    Figure("revenue", "Net sales", "money", "Net sales of the last 90 days"),
    Figure("revenue_share", "Share of net sales", "share", "Part of everybody's net sales"),
    Figure("revenue_per_customer", "Net sales per customer", "money", "Net sales over all customers of the segment"),
    Figure("retention_rate", "Retention", "share", "Of the customers of the period before, those who came back"),
    Figure("repeat_purchase_rate", "Repeat purchase", "share", "Of the active customers, those with two orders or more"),
    Figure("orders_per_customer", "Orders per active customer", "number", "Orders over active customers"),
    Figure("average_order_value", "Average order", "money", "Net sales over orders"),
    Figure("margin_rate", "Margin", "share", "Margin over net sales, where costs are known"),
    Figure("promotion_share", "Under promotion", "share", "Part of what was bought under promotion or coupon"),
    Figure("campaign_response_rate", "Campaign response", "share", "Of the customers written to, those who clicked, ordered or redeemed"),
    Figure("campaign_conversion_rate", "Campaign conversion", "share", "Of the customers written to, those who ordered or redeemed"),
    Figure("campaign_cost", "Campaign cost", "money", "Their part of the campaigns' cost"),
    Figure("campaign_return", "Return on campaign cost", "ratio", "What campaigns brought less their cost, over their cost"),
    Figure("satisfaction", "Satisfaction", "number", "Mean score of support tickets"),
    Figure("points_redeemed", "Points redeemed", "number", "Points spent in the period"),
)

# Columns of customer_profiles that describe behaviour rather than decide one segmentation, and mean something on average.
FEATURES = (
    Figure("orders_365d", "Orders in 12 months", "number"),
    Figure("net_amount_365d", "Net sales in 12 months", "money"),
    Figure("mean_order_amount", "Average order", "money"),
    Figure("recency_days", "Days since last order", "days"),
    Figure("usual_gap_days", "Usual days between orders", "days"),
    Figure("tenure_days", "Days as a customer", "days"),
    Figure("category_count", "Categories bought", "number"),
    Figure("promoted_spend_share", "Spend under promotion", "share"),
    Figure("discount_depth", "Discount when bought reduced", "share"),
    Figure("coupon_order_count", "Orders with a coupon", "number"),
    Figure("premium_share", "Premium products", "share"),
    Figure("private_label_share", "Private label", "share"),
    Figure("unit_price_index", "Unit price against usual", "number"),
    Figure("returned_share", "Returned", "share"),
    Figure("holiday_spend_share", "Spend around holidays", "share"),
    Figure("web_days_90d", "Days on the web in 90", "number"),
    Figure("open_rate", "Messages opened", "share"),
    Figure("response_rate", "Messages answered by a purchase", "share"),
    Figure("ticket_count_365d", "Support tickets in 12 months", "number"),
    Figure("points_balance", "Points in hand", "number"),
    Figure("recent_referrals_made", "Customers referred", "number"),
    Figure("amount_gap", "Net sales missing to similar customers", "money"),
)
