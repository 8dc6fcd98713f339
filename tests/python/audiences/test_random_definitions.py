"""Random definitions on random customers: the compiled SQL and the evaluator in plain Python name the same members, always.

Times are drawn around what decides: the edges of windows, midnights, the last days of months, the hours when clocks change.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.python.audiences.evaluator import WEEKDAYS
from tests.python.audiences.world import build_world, compiled_members, connect, write_world

# Days after a clock change, at the ends of months, in leap years; zones with a midnight that is skipped or comes twice.
DAYS_AND_ZONES = [
    (date(2026, 1, 1), "UTC"),
    (date(2025, 3, 31), "Europe/Berlin"),
    (date(2025, 10, 27), "Europe/Berlin"),
    (date(2024, 3, 31), "America/New_York"),
    (date(2024, 2, 29), "America/New_York"),
    (date(2025, 9, 7), "America/Santiago"),
    (date(2024, 11, 3), "America/Havana"),
    (date(2025, 5, 30), "Asia/Kolkata"),
]
AGO = ["1 second", "90 seconds", "30 minutes", "23 hours", "24 hours", "1 day", "2 days", "1 week", "1 month", "3 months", "1 year"]
GAPS = ["2 seconds", "24 hours", "1 day", "2 days", "4 weeks"]
CHANNELS = ["web", "store", "l'app"]
CATEGORIES = ["coffee", "tea"]
STORES = ["s1", "s2"]
NUMBERS = st.sampled_from([0, 1, 2, 3, 5, 10, 10.5, -5])
OPERATORS = st.sampled_from(["at_least", "above", "at_most", "below", "is", "is_not"])


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as connection:
        yield connection


def moments(day: date, zone: str) -> st.SearchStrategy[datetime]:
    """Instants in UTC, most of them next to an edge."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
    back = st.sampled_from([0, 1, 2, 5, 6, 7, 13, 14, 27, 28, 30, 31, 32, 59, 60, 89, 90, 91, 92, 181, 364, 365, 366]).map(
        lambda days: timedelta(days=days)
    )
    hours = st.sampled_from([0, 0, 0, 1, 2, 6, 12, 22, 23, 24, -1, -3]).map(lambda number: timedelta(hours=number))
    near = st.sampled_from([0, 0, 1, -1, 30, -30, 90, -90, 1800]).map(lambda seconds: timedelta(seconds=seconds))
    return st.builds(lambda days, hour, second: midnight - days + hour + second, back, hours, near)


AMOUNTS = st.sampled_from([Decimal(text) for text in ("0.00", "1.00", "2.00", "3.33", "3.34", "5.00", "10.00", "10.50", "-5.00")])


def customers(names: list[str]) -> st.SearchStrategy[dict[str, dict[str, Any]]]:
    one = st.fixed_dictionaries(
        {
            "country": st.sampled_from(["DE", "FR", None]),
            "home_store_id": st.sampled_from([*STORES, None]),
            "order_count": st.sampled_from([0, 1, 2, 2, 5, None]),
            "net_amount": st.one_of(st.none(), AMOUNTS),
            "last_order_date": st.sampled_from([date(2025, 3, 1), date(2025, 10, 26), date(2024, 1, 31), None]),
            "is_member": st.sampled_from([True, False, None]),
            "rfm": st.sampled_from(["champions", "lost", "none"]),
        }
    )
    return st.fixed_dictionaries(dict.fromkeys(names, one))


def rows(day: date, zone: str, names: list[str]) -> st.SearchStrategy[dict[str, list[dict[str, Any]]]]:
    who, at = st.sampled_from(names), moments(day, zone)
    channel = st.sampled_from([*CHANNELS, None])
    orders = st.fixed_dictionaries(
        {
            "customer_id": who,
            "ordered_at": at,
            "is_purchase": st.sampled_from([True, True, True, False]),
            "net_amount": AMOUNTS,
            "units": st.sampled_from([None, Decimal("1.000"), Decimal("2.500")]),
            "store_id": st.sampled_from([*STORES, None]),
            "channel": channel,
            "has_coupon": st.booleans(),
        }
    )
    lines = st.fixed_dictionaries(
        {
            "customer_id": who,
            "order_id": st.sampled_from(["o1", "o2"]),
            "product_id": st.sampled_from(["p1", "p2", "p3", "unheard of", None]),
            "ordered_at": at,
            "is_purchase_line": st.sampled_from([True, True, False]),
            "purchased_amount": AMOUNTS,
            "returned_amount": AMOUNTS,
            "channel": channel,
        }
    )
    web = st.fixed_dictionaries(
        {
            "customer_id": who,
            "occurred_at": at,
            "event_name": st.sampled_from(["visit", "cart_add"]),
            "category": st.sampled_from([*CATEGORIES, None]),
            "channel": channel,
        }
    )
    messages = st.fixed_dictionaries(
        {
            "customer_id": who,
            "sent_at": at,
            "opened_at": st.one_of(st.none(), at),
            "campaign_id": st.sampled_from(["c1", "c2"]),
            "channel": channel,
        }
    )
    return st.fixed_dictionaries(
        {
            "int_orders": st.lists(orders, max_size=12),
            "int_order_lines": st.lists(lines, max_size=8),
            "stg_web_events": st.lists(web, max_size=8),
            "stg_campaign_contacts": st.lists(messages, max_size=4),
        }
    )


# --- definitions -----------------------------------------------------------------------------------------------------------------

WINDOWS = st.one_of(
    st.just({}),
    st.sampled_from(AGO).map(lambda text: {"last": text}),
    st.tuples(st.integers(0, len(AGO) - 2), st.integers(1, len(AGO) - 1))
    .filter(lambda pair: pair[0] < pair[1])
    .map(lambda pair: {"from": f"{AGO[pair[1]]} ago", "until": f"{AGO[pair[0]]} ago"}),
    st.sampled_from([date(2024, 2, 1), date(2025, 3, 30), date(2025, 10, 26)]).map(lambda day: {"since": day}),
    st.sampled_from([date(2024, 3, 1), date(2025, 3, 30), date(2025, 10, 26)]).map(lambda day: {"before": day}),
)
PLACES = st.one_of(
    st.sampled_from([1, 2, 3]).flatmap(lambda n: st.sampled_from([{"top": n}, {"bottom": n}])),
    st.sampled_from([10, 25, 33.3, 50, 100]).flatmap(lambda p: st.sampled_from([{"top_percent": p}, {"bottom_percent": p}])),
).flatmap(lambda place: st.sampled_from([place, {**place, "within": "home_store_id"}]))
COMPARISONS = st.one_of(
    st.tuples(OPERATORS, NUMBERS).map(lambda pair: {pair[0]: pair[1]}),
    st.just({"between": [1, 5]}),
    st.just({"in": [1, 2]}),
    st.just({"above": 1, "at_most": 10.5}),
    PLACES,
)
TEXT_COMPARISONS = st.sampled_from([{"is": "DE"}, {"is_not": "DE"}, {"in": ["DE", "FR"]}, {"not_in": ["FR"]}, {"is_known": False}])
FILTERS = {
    "purchase": st.sampled_from(
        [
            {},
            {"channel": "web"},
            {"channel": ["store", "l'app"]},
            {"channel": {"is_not": "web"}},
            {"channel": {"is_known": False}},
            {"channel": {"not_in": ["web"], "unknown": "excluded"}},
            {"amount": {"at_least": 3.34}},
            {"store": "s1", "has_coupon": True},
        ]
    ),
    "item_purchase": st.sampled_from([{}, {"category": "coffee"}, {"brand": {"is_not": "assam"}}, {"product": ["p1", "p3"]}]),
    "item_return": st.sampled_from([{}, {"category": "tea"}, {"amount": {"above": 0}}]),
    "web_event": st.sampled_from([{}, {"name": "cart_add"}, {"category": {"is_not": "tea"}}]),
    "message_sent": st.sampled_from([{}, {"channel": "web"}]),
    "message_opened": st.sampled_from([{}, {"campaign": "c1"}]),
}
NUMBER_FIELDS = {"purchase": ["amount", "units"], "item_purchase": ["amount"], "item_return": ["amount"]}
TEXT_FIELDS = {"purchase": "store", "item_purchase": "category", "item_return": "order", "web_event": "channel"}


def with_keys(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """One mapping of several, keys without a value left out."""
    return st.tuples(*parts).map(lambda mappings: {k: v for mapping in mappings for k, v in mapping.items() if v != {}})


WHENS = st.one_of(
    st.just({}),
    st.just({}),
    st.sampled_from(["06:00-12:00", "22:00-06:00", "00:00-00:01"]).map(lambda text: {"local_time": text}),
    st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=3, unique=True).map(lambda days: {"weekdays": days}),
)


def measures(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    choices = [
        st.just({}),
        COMPARISONS.map(lambda asked: {"count": asked}),
        WINDOWS.filter(bool).map(lambda window: {"first_time": window}),
        WINDOWS.filter(bool).map(lambda window: {"last_time": window}),
        st.sampled_from([1, 2, 3, 12]).map(lambda months: {"every_month_of": months}),
        st.sampled_from(GAPS).map(lambda gap: {"came_back_after": gap}),
        done("purchase").map(lambda answer: {"not_followed_by": answer}),
    ]
    if kind in NUMBER_FIELDS:
        field = st.sampled_from(NUMBER_FIELDS[kind])
        measure = st.sampled_from(["sum", "average", "highest", "lowest"])
        choices.append(st.tuples(measure, field, COMPARISONS).map(lambda drawn: {drawn[0]: {"of": drawn[1], **drawn[2]}}))
    if kind in TEXT_FIELDS:
        choices.append(COMPARISONS.map(lambda asked: {"distinct": {"of": TEXT_FIELDS[kind], **asked}}))
    return st.one_of(*choices)


def done(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """An event with its filters."""
    return with_keys(st.just({"done": kind}), FILTERS[kind].map(lambda where: {"where": where}), WHENS)


def event_conditions() -> st.SearchStrategy[dict[str, Any]]:
    kinds = st.sampled_from(sorted(FILTERS))
    happened = kinds.flatmap(lambda kind: with_keys(done(kind), WINDOWS, measures(kind)))
    missing = kinds.flatmap(lambda kind: with_keys(done(kind), WINDOWS)).map(
        lambda node: {"not_done": node["done"], **{key: value for key, value in node.items() if key != "done"}}
    )
    return st.one_of(happened, happened, missing)


def sequences() -> st.SearchStrategy[dict[str, Any]]:
    steps = st.lists(st.sampled_from(["purchase", "web_event", "message_opened"]).flatmap(done), min_size=2, max_size=3)
    within = st.one_of(st.just({}), st.sampled_from(GAPS).map(lambda gap: {"within": gap}))
    return st.tuples(steps, within, WINDOWS).map(lambda drawn: {"sequence": drawn[0], **drawn[1], **drawn[2]})


def features() -> st.SearchStrategy[dict[str, Any]]:
    unknown = st.sampled_from([{}, {}, {"unknown": "excluded"}, {"unknown": "included"}])
    return with_keys(
        st.one_of(
            TEXT_COMPARISONS.map(lambda asked: {"feature": "country", **asked}),
            st.tuples(st.sampled_from(["order_count", "net_amount"]), COMPARISONS).map(lambda drawn: {"feature": drawn[0], **drawn[1]}),
            st.booleans().map(lambda value: {"feature": "is_member", "is": value}),
            WINDOWS.filter(
                lambda window: window and not any("second" in str(v) or "hour" in str(v) or "minute" in str(v) for v in window.values())
            ).map(lambda window: {"feature": "last_order_date", **window}),
            st.just({"feature": "last_order_date", "at_least": date(2025, 3, 1)}),
        ),
        unknown,
    )


def conditions(audiences: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    leaves = [
        event_conditions(),
        event_conditions(),
        sequences(),
        features(),
        st.sampled_from([{"segment": "rfm", "is": "lost"}, {"segment": "rfm", "not_in": ["none", "champions"]}]),
    ]
    if audiences:
        leaves.append(st.sampled_from(audiences).map(lambda name: {"audience": name}))
    return st.recursive(
        st.one_of(*leaves),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
            inner.map(lambda part: {"not": part}),
            inner.map(lambda part: {"not": part, "unknown": "excluded"}),
        ),
        max_leaves=4,
    )


NAMES = ["ann", "bob", "cem", "dua", "eve"]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Any, dict[str, list[dict[str, Any]]]]:
    day, zone = draw(st.sampled_from(DAYS_AND_ZONES))
    people = draw(customers(NAMES))
    events = draw(rows(day, zone, NAMES))
    definitions: dict[str, Any] = {}
    for name in ("first", "second", "third", "zeroth"):
        definitions[name] = {"members": draw(conditions(sorted(definitions)))}
    return (
        build_world(
            day,
            zone,
            people,
            events["int_orders"],
            events["int_order_lines"],
            events["stg_web_events"],
            events["stg_campaign_contacts"],
            definitions,
        ),
        events,
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, phases=[Phase.explicit, Phase.generate]
)
@given(drawn=worlds())
def test_the_same_members_as_in_plain_python(database: duckdb.DuckDBPyConnection, drawn: Any) -> None:
    world, events = drawn
    write_world(database, world, events)
    found = compiled_members(database, world)
    for name, definition in world.definitions.items():
        note(f"{name}: {definition}")
        assert found[name] == world.members(name), definition
