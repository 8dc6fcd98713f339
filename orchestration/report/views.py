"""The views beside the segmentations: RFM, lifetime value, holidays, payment and channels, value and budget, audiences.

Each returns None when the build does not publish what it is made from; the page then says so.
"""

from collections.abc import Sequence
from typing import Any

from orchestration.report.reading import Tables, plain, records

# The last bin of the distribution holds everything above this share of the customers: a few large values would flatten all others.
DISTRIBUTION_QUANTILE = 0.98
DISTRIBUTION_BINS = 24
# Rows of tables that are shown as they are.
ROWS_SHOWN = 200
COMBINATIONS_SHOWN = 20
WEEKS_TOLD = 104
# Fitted too, but not about value.
OTHER_MODELS = "'behaviour_cluster'"


def read_rfm(tables: Tables) -> dict[str, Any] | None:
    """Customers and their mean value by recency and frequency score."""
    if not tables.has("rfm_segments", "recency_score", "frequency_score", "monetary_value"):
        return None
    cells = tables.rows(
        """
        select recency_score, frequency_score, count(*), avg(monetary_value)::double
        from published.rfm_segments
        where recency_score is not null and frequency_score is not null
        group by recency_score, frequency_score
        order by recency_score, frequency_score
        """
    )
    cuts = tables.rows(
        "select measure, cut, value from published.segment_cut_points where segmentation = 'rfm' order by measure, cut"
        if tables.has("segment_cut_points")
        else "select null, null, null where false"
    )
    points: dict[str, list[Any]] = {}
    for measure, _, value in cuts:
        points.setdefault(measure, []).append(plain(value))
    return {
        "cells": [
            [recency, frequency, tables.tell_customers(customers), plain(mean) if tables.is_told(customers) else None]
            for recency, frequency, customers, mean in cells
        ],
        "cut_points": points,
    }


def read_lifetime(tables: Tables) -> dict[str, Any] | None:
    """How predicted lifetime value is distributed over the customers, and what the models behind it say of themselves."""
    if not tables.has("customer_lifetime_values", "customer_lifetime_value"):
        return None
    ((customers, total, mean, median, top),) = tables.rows(
        f"""
        select
            count(customer_lifetime_value), sum(customer_lifetime_value)::double, avg(customer_lifetime_value)::double,
            median(customer_lifetime_value)::double, quantile_cont(customer_lifetime_value::double, {DISTRIBUTION_QUANTILE})
        from published.customer_lifetime_values
        """
    )
    return {
        "customers": tables.tell_customers(customers),
        "total": plain(total),
        "mean": plain(mean),
        "median": plain(median),
        "bins": _bins(tables, top) if tables.is_told(customers) and top else [],
        "deciles": _deciles(tables, total) if tables.is_told(customers // 10) and total else [],
        "models": {
            name: _whole(tables, name, f"where model not in ({OTHER_MODELS})")
            for name in ("model_reviews", "model_parameters")
            if tables.has(name)
        },
        "validations": _validations(tables),
    }


def _bins(tables: Tables, top: float) -> list[list[Any]]:
    """[from, to (None: and above), customers] of bins of equal width."""
    width = top / DISTRIBUTION_BINS
    counts: dict[int, int] = dict(
        tables.rows(
            f"""
            select least(greatest(floor(customer_lifetime_value::double / ?), 0), {DISTRIBUTION_BINS})::int as bin, count(*)
            from published.customer_lifetime_values
            where customer_lifetime_value is not null
            group by bin
            """,
            [width],
        )
    )
    return [
        [plain(bin * width), None if bin == DISTRIBUTION_BINS else plain((bin + 1) * width), tables.tell_customers(counts.get(bin, 0))]
        for bin in range(DISTRIBUTION_BINS + 1)
    ]


def _deciles(tables: Tables, total: float) -> list[Any]:
    """Share of all predicted value that each tenth of the customers holds, the most valuable tenth first."""
    rows = tables.rows(
        """
        select tenth, sum(value) / ?
        from (
            select
                customer_lifetime_value::double as value,
                (10 * (row_number() over (order by customer_lifetime_value desc) - 1)) // count(*) over () as tenth
            from published.customer_lifetime_values
            where customer_lifetime_value is not null
        )
        group by tenth
        order by tenth
        """,
        [total],
    )
    return [plain(share) for _, share in rows]


def _validations(tables: Tables) -> list[dict[str, Any]]:
    """How well each model foretold what came: in all, by purchases before, and by the last weeks; of enough customers."""
    names = ("model", "measure", "position", "starts_on", "is_holdout", "observed", "predicted", "relative_error", "customers")
    if not tables.has("model_validations", *names):
        return []
    rows = tables.rows(
        f"""
        select {", ".join(names)}
        from published.model_validations
        where customers >= ?
        qualify row_number() over (partition by model, measure order by position desc) <= {WEEKS_TOLD}
        order by model, measure, position
        """,
        [tables.minimum_group_size],
    )
    return records(names, rows)


def _whole(tables: Tables, name: str, condition: str) -> dict[str, Any]:
    """A small table about models, as it is."""
    columns = tables.columns(name)
    rows = tables.rows(f"select * from published.{name} {condition} order by all limit {ROWS_SHOWN}")
    return {
        "columns": columns,
        "rows": [[plain(value) if not isinstance(value, dict | list) else str(value) for value in row] for row in rows],
    }


# view: (the segmentation of it, the column of the leading value, the column of how much)
HABITS = {
    "holiday": ("holiday_buying", None, "holiday_spend_share"),
    "payment": ("payment_preference", "leading_payment_method", "leading_payment_share"),
    "channel": ("channel_preference", "leading_channel", "leading_channel_share"),
}


def read_habits(tables: Tables) -> dict[str, Any]:
    """Holidays, payment and channels: who is in each group, what they buy, and how they are spread over loyalty status."""
    found: dict[str, Any] = {}
    for view, (segmentation, leading, share) in HABITS.items():
        segment = f"{segmentation}_segment"
        if not tables.has("customer_profiles", segment, share, "net_amount_365d", "loyalty_status_segment"):
            found[view] = None
            continue
        groups = tables.rows(
            f"""
            select
                {segment}, count(*), avg(net_amount_365d)::double, avg(orders_365d)::double,
                case when count({share}) >= ? then avg({share})::double end
            from published.customer_profiles
            group by {segment}
            order by count(*) desc, {segment}
            """,
            [tables.minimum_group_size],
        )
        told = [
            [code, tables.tell_customers(customers), *(plain(value) if tables.is_told(customers) else None for value in values)]
            for code, customers, *values in groups
        ]
        crossed = tables.rows(
            f"""
            select {segment}, loyalty_status_segment, count(*)
            from published.customer_profiles
            group by all
            order by all
            """
        )
        found[view] = {
            "segmentation": segmentation,
            "groups": told,
            "by_loyalty": [[one, other, tables.tell_customers(customers)] for one, other, customers in crossed],
            "histogram": _share_histogram(tables, share),
            "leading": _leading(tables, leading) if leading and tables.has("customer_profiles", leading) else [],
        }
    return found


def _share_histogram(tables: Tables, column: str) -> list[int]:
    """Customers by tenths of a share."""
    counts: dict[int, int] = dict(
        tables.rows(
            f"""
            select least(greatest(floor({column}::double * 10), 0), 9)::int as tenth, count(*)
            from published.customer_profiles
            where {column} is not null
            group by tenth
            """
        )
    )
    return [tables.tell_customers(counts.get(tenth, 0)) for tenth in range(10)]


def _leading(tables: Tables, column: str) -> list[list[Any]]:
    """Customers and net sales a customer by what they use most."""
    rows = tables.rows(
        f"""
        select {column}, count(*), avg(net_amount_365d)::double
        from published.customer_profiles
        where {column} is not null
        group by {column}
        order by count(*) desc, {column}
        limit 20
        """
    )
    return [[code, tables.tell_customers(customers), plain(mean) if tables.is_told(customers) else None] for code, customers, mean in rows]


def read_budget(tables: Tables) -> dict[str, dict[str, list[Any]]] | None:
    """By segmentation and segment: [net sales of 12 months, what is missing to similar customers], of segments large enough to tell."""
    if not tables.has("customer_profiles", "net_amount_365d", "amount_gap"):
        return None
    found: dict[str, dict[str, list[Any]]] = {}
    for column in tables.columns("customer_profiles"):
        if not column.endswith("_segment"):
            continue
        rows = tables.rows(
            f"""
            select {column}, sum(net_amount_365d)::double, case when count(amount_gap) >= ? then sum(greatest(amount_gap, 0))::double end
            from published.customer_profiles
            group by {column}
            having count(*) >= ?
            order by {column}
            """,
            [tables.minimum_group_size, tables.minimum_group_size],
        )
        found[column.removesuffix("_segment")] = {code: [plain(value) for value in values] for code, *values in rows}
    return found


def read_audiences(tables: Tables) -> dict[str, Any] | None:
    """Audiences with size and contactable size, why members are not contactable, overlaps, combinations, lift."""
    if not tables.has("audiences", "audience_id", "name"):
        return None
    columns = tables.columns("audiences")
    audiences = records(columns, tables.rows("select * from published.audiences order by audience_id"))
    for audience in audiences:
        for key in [key for key in audience if key == "size" or key.endswith("_size") or key.endswith("members")]:
            audience[key] = None if audience[key] is None else tables.tell_customers(int(audience[key]))
    names = tables.columns("audience_overlaps")
    return {
        "audiences": audiences,
        "memberships": _audience_members(tables),
        "combinations": _combinations(tables),
        "overlaps": _told(tables, "audience_overlaps", next((name for name in names if name.startswith("customers")), None)),
        "funnels": _funnels(tables),
        "lift": _lift(tables),
    }


def _funnels(tables: Tables) -> dict[str, list[list[Any]]]:
    """By audience: [condition, customers who meet it, left by it and those before, removed by it], in the order of the conditions."""
    if not tables.has("audience_funnels", "audience_id", "step", "customers_left"):
        return {}
    steps: dict[str, list[tuple[str, int, int]]] = {}
    for audience, text, meeting, left in tables.rows(
        "select audience_id, condition_text, customers_meeting, customers_left from published.audience_funnels order by audience_id, step"
    ):
        steps.setdefault(audience, []).append((text, meeting, left))
    ((everybody,),) = tables.rows("select max(customers_left + customers_removed) from published.audience_funnels where step = 1")
    return {audience: told_funnel(tables, everybody, of_audience) for audience, of_audience in steps.items()}


def told_funnel(tables: Tables, everybody: int, steps: Sequence[tuple[str, int, int]]) -> list[list[Any]]:
    """A funnel in which no number, and no difference of two numbers, is about a few customers.

    Args:
        tables: which knows how few are too few.
        everybody: all customers, a number that the page tells.
        steps: (condition, customers who meet it, customers left), in their order.

    Returns:
        [condition, meeting, left, removed] for each step; None where a number would give a few away. The last number left is the size of
        the audience, which the page tells too, so what stands before it is told when it is far enough from it.
    """

    def is_safe(difference: int) -> bool:
        return difference == 0 or tables.is_told(difference)

    told: list[int | None] = []
    next_told = None
    for number, (_, _, left) in reversed(list(enumerate(steps))):
        is_last = number == len(steps) - 1
        shown = is_safe(left) and is_safe(everybody - left) and (next_told is None or is_safe(left - next_told))
        if shown or is_last:
            next_told = left if is_safe(left) else next_told
        told.insert(0, tables.tell_customers(left) if is_last else left if shown else None)
    found: list[list[Any]] = []
    before: int | None = everybody
    for (text, meeting, left), shown_left in zip(steps, told, strict=True):
        is_told = is_safe(meeting) and is_safe(everybody - meeting) and is_safe(meeting - left) and (meeting != left or shown_left == left)
        removed = before - shown_left if before is not None and shown_left == left else None
        found.append([text, meeting if is_told else None, shown_left, removed if removed is not None and is_safe(removed) else None])
        before = shown_left if shown_left == left else None
    return found


# Figures about one side of a campaign, and about what lies between the sides: told when the sides are large enough.
LIFT_SIDES = ("treated", "holdout")
LIFT_DIFFERENCES = tuple(f"{figure}_difference{end}" for figure in ("response", "revenue") for end in ("", "_lower", "_upper"))


def _lift(tables: Tables) -> list[dict[str, Any]]:
    """The campaigns of audience_lift, the latest first; a side of few customers has no figures, and nothing is compared with it."""
    if not tables.has("audience_lift", "campaign_id", "audience_id", "verdict", *LIFT_DIFFERENCES):
        return []
    names = tables.columns("audience_lift")
    rows = tables.rows(f"select * from published.audience_lift order by starts_on desc, campaign_id, audience_id limit {ROWS_SHOWN}")
    found = []
    for row in rows:
        lift = dict(zip(names, row, strict=True))
        sides = {side: tables.is_told(lift[f"{side}_customers"]) for side in LIFT_SIDES}
        told = {name: lift[name] for name in ("campaign_id", "audience_id", "campaign_name", "starts_on", "window_ends_on")}
        for side, is_told in sides.items():
            told[f"{side}_customers"] = tables.tell_customers(lift[f"{side}_customers"])
            for figure in ("response_rate", "revenue_per_customer"):
                told[f"{side}_{figure}"] = lift[f"{side}_{figure}"] if is_told else None
        told |= {name: lift[name] if all(sides.values()) else None for name in LIFT_DIFFERENCES}
        told |= {name: lift[name] for name in ("verdict", "revenue_verdict", "verdict_reason")}
        found.append({name: plain(value) for name, value in told.items()})
    return found


def _audience_members(tables: Tables) -> dict[str, dict[str, Any]]:
    """By audience: members, contactable, held out, and the reasons of those who are not contactable."""
    if not tables.has("audience_memberships", "audience_id", "is_contactable", "suppressed_reason", "is_holdout"):
        return {}
    found: dict[str, dict[str, Any]] = {}
    for audience, members, contactable, holdout in tables.rows(
        """
        select audience_id, count(*), count(*) filter (where is_contactable), count(*) filter (where is_holdout)
        from published.audience_memberships
        group by audience_id
        """
    ):
        found[audience] = {
            "members": tables.tell_customers(members),
            "contactable": tables.tell_customers(contactable),
            "holdout": tables.tell_customers(holdout),
        }
    reasons: dict[str, list[tuple[str, int]]] = {audience: [] for audience in found}
    for audience, reason, members in tables.rows(
        """
        select audience_id, suppressed_reason, count(*)
        from published.audience_memberships
        where suppressed_reason is not null
        group by audience_id, suppressed_reason
        order by audience_id, count(*) desc, suppressed_reason
        """
    ):
        reasons[audience].append((reason, members))
    for audience, counted in reasons.items():
        found[audience]["reasons"] = told_reasons(tables, counted)
    return found


def told_reasons(tables: Tables, reasons: Sequence[tuple[str, int]]) -> list[list[Any]]:
    """Why members are not contactable, as [reasons, people]: a reason of a few people is told together with others, until they are enough.

    How many are not contactable at all stands elsewhere on the page, so that a single number left out would be told by subtraction.

    Args:
        tables: which knows how few are too few.
        reasons: (reason, people), the most frequent first.
    """
    told = [([reason], people) for reason, people in reasons]
    while len(told) > 1 and not tables.is_told(told[-1][1]):
        few, people = told.pop()
        more, others = told.pop()
        told.append((more + few, others + people))
        told.sort(key=lambda row: -row[1])
    return [[names, tables.tell_customers(people)] for names, people in told]


def _combinations(tables: Tables) -> list[list[Any]]:
    """[audiences, people who are in exactly these], the largest combinations first."""
    if not tables.has("audience_memberships", "person_id", "audience_id"):
        return []
    rows = tables.rows(
        """
        select audiences, count(*) as people
        from (
            select person_id, list_sort(list(distinct audience_id)) as audiences
            from published.audience_memberships
            group by person_id
        )
        group by audiences
        having count(*) >= ?
        order by people desc, audiences
        limit ?
        """,
        [tables.minimum_group_size, COMBINATIONS_SHOWN],
    )
    return [[audiences, people] for audiences, people in rows]


def _told(tables: Tables, name: str, counted: str | None) -> list[dict[str, Any]]:
    """The rows of a table of aggregates; those about too few customers are left out."""
    if not tables.has(name):
        return []
    condition = f"where {counted} >= {tables.minimum_group_size:d}" if counted else ""
    return records(tables.columns(name), tables.rows(f"select * from published.{name} {condition} order by all limit 2000"))
