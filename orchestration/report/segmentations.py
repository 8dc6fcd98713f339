"""Every segmentation as the page tells it: definitions, sizes over time, moves, key figures, reviews, what sets segments apart."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from orchestration.report.catalogue import FAMILIES, FEATURES, KPIS, OTHER, SEGMENTATIONS, UNPLACED, words
from orchestration.report.reading import Tables, plain
from orchestration.sql import quote_identifier

NOT_A_CUSTOMER = "not_a_customer"
PERIODS = ("week", "month", "quarter")
# So many features are told of a segment, and only those that lie so many standard deviations from everybody.
FEATURES_TOLD = 5
LEAST_DIFFERENCE = 0.15
REVIEW_REASONS = ("is_due", "is_drifting", "is_out_of_range", "is_kpi_stalled", "is_overdue")
REVIEW_FIGURES = ("customers", "base_date", "base_share", "population_stability_index", "kpi", "kpi_value", "base_kpi_value")
# Figures about a part of a segment's customers: told when that part is large enough.
COUNTED_CUSTOMERS = {
    "retention_rate": "active_before_customers",
    "repeat_purchase_rate": "active_customers",
    "orders_per_customer": "active_customers",
    "average_order_value": "active_customers",
    "margin_rate": "active_customers",
    "promotion_share": "active_customers",
    "campaign_response_rate": "contacted_customers",
    "campaign_conversion_rate": "contacted_customers",
    "campaign_cost": "contacted_customers",
    "campaign_return": "contacted_customers",
}


@dataclass(frozen=True)
class Detail:
    """How much history the page carries: it must stay small however long days are recorded.

    Attributes:
        days: the last recorded days told one by one; before them one of each week is.
        weeks: so many weeks before them.
        months: key figures are told of the last recorded day of so many months, and of the day described.
        moves: so many pairs of segments of each period, the largest first; the others are added up.
        periods: so many periods of each kind.
    """

    days: int
    weeks: int
    months: int
    moves: int
    periods: int


def told_days(recorded: Sequence[date], detail: Detail) -> list[date]:
    """The recorded days that sizes are told of: the last ones all, before them the last of each week."""
    ordered = sorted(recorded)
    recent, older = ordered[-detail.days :], ordered[: -detail.days]
    by_week = {day.isocalendar()[:2]: day for day in older}
    return [*list(by_week.values())[-detail.weeks :], *recent]


def told_months(recorded: Sequence[date], detail: Detail) -> list[date]:
    """The recorded days that key figures are told of: the last one of each month."""
    return list({(day.year, day.month): day for day in sorted(recorded)}.values())[-detail.months :]


def read_segmentations(tables: Tables, as_of_date: date, detail: Detail) -> dict[str, Any]:
    """All segmentations, by family and name, and the days that their rows of numbers are about."""
    recorded = [day for (day,) in tables.rows("select distinct as_of_date from published.segment_sizes order by 1")]
    days, months = told_days(recorded, detail), told_months(recorded, detail)
    before = recorded[-2] if len(recorded) > 1 else None
    definitions = _definitions(tables)
    sizes = _sizes(tables, days)
    kpis = _kpis(tables, months)
    moves = _moves(tables, detail)
    reviews = _reviews(tables)
    apart = _set_apart(
        tables, [segmentation for segmentation in definitions if f"{segmentation}_segment" in tables.columns("customer_profiles")]
    )
    told: list[dict[str, Any]] = []
    for segmentation, segments in definitions.items():
        family, label, question = SEGMENTATIONS.get(segmentation, (OTHER, words(segmentation), ""))
        members = [
            {
                **definition,
                "is_unplaced": code in UNPLACED,
                "sizes": sizes.get((segmentation, code), [None] * len(days)),
                "kpis": kpis.get((segmentation, code), {}),
                "review": reviews.get((segmentation, code)),
                "apart": apart.get((segmentation, code), []),
            }
            for code, definition in segments.items()
        ]
        # Largest first, as of the day described; who cannot be placed comes last.
        members.sort(key=lambda segment: (segment["is_unplaced"], -(segment["sizes"][-1] or 0)))
        told.append(
            {
                "code": segmentation,
                "family": family,
                "label": label,
                "question": question,
                "segments": members,
                "moves": _by_place(moves.get(segmentation, {}), [str(member["code"]) for member in members]),
            }
        )
    # By family, and in it as the catalogue has them; what it does not know comes last, by name.
    order = {code: number for number, code in enumerate(SEGMENTATIONS)}
    told.sort(key=lambda one: (FAMILIES.index(str(one["family"])), order.get(str(one["code"]), len(order)), str(one["code"])))
    return {
        "days": [day.isoformat() for day in days],
        "recorded_days": len(recorded),
        "first_recorded_day": plain(recorded[0] if recorded else as_of_date),
        "day_before": plain(before),
        "months": [day.isoformat() for day in months],
        "kpis": [vars(figure) for figure in KPIS if figure.code == "revenue_per_customer" or tables.has("segment_kpis", figure.code)],
        "totals": _totals(tables, months),
        "segmentations": told,
    }


def _definitions(tables: Tables) -> dict[str, dict[str, dict[str, Any]]]:
    names = ["segment", "label", "meaning", "rule", "owner", "last_reviewed", "next_review", "expected_share_min", "expected_share_max"]
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for segmentation, *row in tables.rows(
        f"select segmentation, {', '.join(names)} from published.segment_definitions order by segmentation, segment"
    ):
        definition = {name: plain(value) for name, value in zip(names, row, strict=True)}
        found[segmentation][definition.pop("segment")] = {"code": row[0], **definition}
    return found


def _sizes(tables: Tables, days: Sequence[date]) -> dict[tuple[str, str], list[int | None]]:
    position = {day: index for index, day in enumerate(days)}
    sizes: dict[tuple[str, str], list[int | None]] = {}
    for segmentation, segment, day, customers in tables.rows(
        """
        select segmentation, segment, as_of_date, customers
        from published.segment_sizes
        where as_of_date in (select unnest(?::date[]))
        """,
        [list(days)],
    ):
        sizes.setdefault((segmentation, segment), [None] * len(days))[position[day]] = tables.tell_customers(customers)
    return sizes


def _kpis(tables: Tables, months: Sequence[date]) -> dict[tuple[str, str], dict[str, list[Any]]]:
    """One list for each key figure that is ever known of the segment, as long as `months`."""
    columns = [figure.code for figure in KPIS if tables.has("segment_kpis", figure.code)]
    position = {day: index for index, day in enumerate(months)}
    found: dict[tuple[str, str], dict[str, list[Any]]] = {}
    counted = sorted(set(COUNTED_CUSTOMERS.values()))
    query = f"""
        select segmentation, segment, as_of_date, customers, {", ".join([*counted, *columns])}
        from published.segment_kpis
        where as_of_date in (select unnest(?::date[]))
        """
    for segmentation, segment, day, customers, *values in tables.rows(query, [list(months)]):
        if not tables.is_told(customers):
            continue
        parts = dict(zip(counted, values[: len(counted)], strict=True))
        figures = dict(zip(columns, values[len(counted) :], strict=True))
        figures["revenue_per_customer"] = None if figures.get("revenue") is None else float(figures["revenue"]) / customers
        series = found.setdefault((segmentation, segment), {})
        for code, value in figures.items():
            if value is not None and (code not in COUNTED_CUSTOMERS or tables.is_told(parts[COUNTED_CUSTOMERS[code]])):
                series.setdefault(code, [None] * len(months))[position[day]] = plain(value)
    return found


def _totals(tables: Tables, months: Sequence[date]) -> list[dict[str, Any]]:
    """Everybody's figures, from the sums of one segmentation: each of them holds every customer once."""
    rows = tables.rows(
        """
        select
            as_of_date, sum(customers)::bigint, sum(active_customers)::bigint, sum(orders)::bigint, sum(revenue),
            sum(retained_customers) / nullif(sum(active_before_customers), 0), sum(revenue) / nullif(sum(orders), 0)
        from published.segment_kpis
        where
            segmentation = (select min(segmentation) from published.segment_kpis)
            and as_of_date in (select unnest(?::date[]))
        group by as_of_date
        order by as_of_date
        """,
        [list(months)],
    )
    names = ["as_of_date", "customers", "active_customers", "orders", "revenue", "retention_rate", "average_order_value"]
    return [{name: plain(value) for name, value in zip(names, row, strict=True)} for row in rows]


def _moves(tables: Tables, detail: Detail) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Moves between segments, for each kind of period the latest periods; few customers' moves only added up."""
    grouped: dict[tuple[str, str, date], list[tuple[str, str, int]]] = defaultdict(list)
    for segmentation, kind, start, source, target, customers in tables.rows(
        """
        select segmentation, period_type, period_start, from_segment, to_segment, customers
        from published.segment_migrations
        where period_type in (select unnest(?::varchar[]))
        order by segmentation, period_type, period_start desc, customers desc, from_segment, to_segment
        """,
        [list(PERIODS)],
    ):
        grouped[segmentation, kind, start].append((source, target, customers))
    found: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for (segmentation, kind, start), moves in grouped.items():
        periods = found[segmentation][kind]
        if len(periods) < detail.periods:
            periods.append({"start": start.isoformat(), **_told_moves(tables, moves, detail.moves)})
    return found


def _told_moves(tables: Tables, moves: Iterable[tuple[str, str, int]], most: int) -> dict[str, Any]:
    """Moves of one period, and how many customers moved in ways not told; withheld when these are too few themselves.

    `others` moved between segments, `others_arriving` became or ceased to be customers.
    """
    told: list[list[Any]] = []
    others = {"others": 0, "others_arriving": 0}
    for source, target, customers in moves:
        if tables.is_told(customers) and len(told) < most:
            told.append([source, target, customers])
        else:
            others["others_arriving" if NOT_A_CUSTOMER in (source, target) else "others"] += customers
    return {"moves": told, **{name: tables.tell_customers(customers) for name, customers in others.items()}}


def _by_place(moves: dict[str, list[dict[str, Any]]], codes: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Moves with the place of a segment in its list instead of its code, which would be most of the page; others keep their name."""
    place: dict[str, int] = {code: number for number, code in enumerate(codes)}
    return {
        kind: [
            {
                **period,
                "moves": [[place.get(source, source), place.get(target, target), count] for source, target, count in period["moves"]],
            }
            for period in periods
        ]
        for kind, periods in moves.items()
    }


def _reviews(tables: Tables) -> dict[tuple[str, str], dict[str, Any]]:
    """Why a segment needs a look, where it does; and the index of drift with the day it is measured from."""
    if not tables.has("segment_reviews"):
        return {}
    names = (*REVIEW_REASONS, *REVIEW_FIGURES)
    found = {}
    for segmentation, segment, *row in tables.rows(f"select segmentation, segment, {', '.join(names)} from published.segment_reviews"):
        review = {name: plain(value) for name, value in zip(names, row, strict=True)}
        if not tables.is_told(review.pop("customers")):
            review |= {"base_share": None, "kpi_value": None, "base_kpi_value": None}
        found[segmentation, segment] = review
    return found


def _set_apart(tables: Tables, segmentations: Sequence[str]) -> dict[tuple[str, str], list[list[Any]]]:
    """What sets a segment apart: the features whose mean lies furthest from everybody's, in standard deviations.

    A list of [feature, mean of the segment, mean of everybody, difference], the largest difference first.
    """
    features = [figure.code for figure in FEATURES if tables.has("customer_profiles", figure.code)]
    if not features or not segmentations:
        return {}
    quoted = [quote_identifier(feature) for feature in features]
    # A mean of too few customers is none.
    least = tables.minimum_group_size
    means = ", ".join(f"case when count({name}) >= {least:d} then avg({name}::double) end" for name in quoted)
    deviations = ", ".join(f"stddev_pop({name}::double)" for name in quoted)
    (everybody,) = tables.rows(f"select {means}, {deviations} from published.customer_profiles")
    overall, deviation = everybody[: len(features)], everybody[len(features) :]
    found = {}
    for segmentation in segmentations:
        column = quote_identifier(f"{segmentation}_segment")
        for segment, customers, *own in tables.rows(
            f"select {column}, count(*), {means} from published.customer_profiles group by {column}"
        ):
            if tables.is_told(customers):
                found[segmentation, segment] = _largest_differences(features, own, overall, deviation)
    return found


def _largest_differences(
    features: Sequence[str], own: Sequence[float | None], overall: Sequence[float | None], deviation: Sequence[float | None]
) -> list[list[Any]]:
    differences = [
        (feature, mean, everybody, (mean - everybody) / spread)
        for feature, mean, everybody, spread in zip(features, own, overall, deviation, strict=True)
        if mean is not None and everybody is not None and spread
    ]
    differences = [row for row in differences if abs(row[3]) >= LEAST_DIFFERENCE]
    differences.sort(key=lambda row: -abs(row[3]))
    return [[plain(value) for value in row] for row in differences[:FEATURES_TOLD]]
