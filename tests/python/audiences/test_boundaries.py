"""Every construct at its edge, on customers whose answer anybody can check by hand: named after why they are in or out.

Each is asked of the compiled SQL and of the evaluator in plain Python, so that neither has to be believed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import yaml

from tests.python.audiences.world import build_world, compiled_members, connect, write_world

DAY = date(2026, 1, 1)
Rows = Sequence[Mapping[str, Any]]


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as connection:
        yield connection


def order(customer: str, at: str, amount: str | None = "10.00", **more: Any) -> dict[str, Any]:
    row = {"customer_id": customer, "ordered_at": datetime.fromisoformat(at), "is_purchase": True, "units": None, "store_id": None}
    return {**row, "channel": None, "has_coupon": False, "net_amount": None if amount is None else Decimal(amount), **more}


def web(customer: str, at: str, name: str = "visit", category: str | None = None) -> dict[str, Any]:
    occurred = datetime.fromisoformat(at)
    return {"customer_id": customer, "occurred_at": occurred, "event_name": name, "category": category, "channel": None}


def members(
    database: duckdb.DuckDBPyConnection,
    condition: str,
    customers: Mapping[str, Mapping[str, Any]] | Sequence[str] = (),
    orders: Rows = (),
    visits: Rows = (),
    day: date = DAY,
    zone: str = "UTC",
) -> set[str]:
    """Who meets the condition, on which both sides have to agree."""
    everybody = customers if isinstance(customers, Mapping) else {name: {} for name in customers}
    everybody = {**{row["customer_id"]: {} for row in (*orders, *visits)}, **everybody}
    world = build_world(day, zone, everybody, orders, web=visits, definitions={"asked": {"members": yaml.safe_load(condition)}})
    write_world(database, world, {"int_orders": orders, "stg_web_events": visits})
    found = compiled_members(database, world)["asked"]
    assert found == world.members("asked"), "the evaluator says otherwise"
    return found


# --- time ------------------------------------------------------------------------------------------------------------------------


def test_an_exact_window_begins_to_the_second_and_ends_before_the_day(database: duckdb.DuckDBPyConnection) -> None:
    orders = [
        order("a second early", "2025-12-31 11:59:59"),
        order("on the second", "2025-12-31 12:00:00"),
        order("the last second", "2025-12-31 23:59:59"),
        order("in the future", "2026-01-01 00:00:00"),
    ]
    assert members(database, "{done: purchase, last: 12 hours}", orders=orders) == {"on the second", "the last second"}


def test_days_are_days_of_the_calendar_in_the_business_timezone(database: duckdb.DuckDBPyConnection) -> None:
    # Midnight in Berlin is 23:00 UTC of the day before.
    orders = [
        order("still the day before", "2025-12-29 22:59:59"),
        order("first second of the day", "2025-12-29 23:00:00"),
        order("already the next year there", "2025-12-31 23:00:00"),
    ]
    assert members(database, "{done: purchase, last: 2 days}", orders=orders, zone="Europe/Berlin") == {"first second of the day"}


def test_hours_are_hours_where_the_clock_was_changed(database: duckdb.DuckDBPyConnection) -> None:
    # Sunday 30 March 2025 had 23 hours in Berlin: it began at 23:00 UTC, Monday at 22:00 UTC.
    orders = [order("23 hours ago", "2025-03-29 23:00:00"), order("24 hours ago", "2025-03-29 22:00:00")]
    monday, zone = date(2025, 3, 31), "Europe/Berlin"
    assert members(database, "{done: purchase, last: 1 day}", orders=orders, day=monday, zone=zone) == {"23 hours ago"}
    assert members(database, "{done: purchase, last: 24 hours}", orders=orders, day=monday, zone=zone) == {"23 hours ago", "24 hours ago"}


def test_a_midnight_that_the_clock_leaves_out(database: duckdb.DuckDBPyConnection) -> None:
    # In Santiago 7 September 2025 began at 01:00, which was 04:00 UTC.
    orders = [order("the last second before", "2025-09-07 03:59:59"), order("its first second", "2025-09-07 04:00:00")]
    found = members(database, "{done: purchase, last: 1 second}", orders=orders, day=date(2025, 9, 7), zone="America/Santiago")
    assert found == {"the last second before"}


@pytest.mark.parametrize(
    ("day", "window", "first_day"),
    [
        (date(2025, 5, 31), "3 months", "2025-02-28"),
        (date(2024, 5, 31), "3 months", "2024-02-29"),
        (date(2024, 2, 29), "1 year", "2023-02-28"),
        (date(2025, 3, 1), "1 month", "2025-02-01"),
        (date(2025, 1, 15), "2 weeks", "2025-01-01"),
    ],
)
def test_months_end_where_they_end(database: duckdb.DuckDBPyConnection, day: date, window: str, first_day: str) -> None:
    before = datetime.fromisoformat(first_day).timestamp() - 1
    orders = [order("in", f"{first_day} 00:00:00"), order("out", datetime.fromtimestamp(before).isoformat(sep=" "))]
    assert members(database, f"{{done: purchase, last: {window}}}", orders=orders, day=day) == {"in"}


def test_a_window_in_the_past_takes_its_start_and_leaves_its_end(database: duckdb.DuckDBPyConnection) -> None:
    orders = [order("too early", "2025-12-01"), order("start", "2025-12-02"), order("last day", "2025-12-21"), order("end", "2025-12-22")]
    assert members(database, "{done: purchase, from: 30 days ago, until: 10 days ago}", orders=orders) == {"start", "last day"}
    assert members(database, "{done: purchase, since: 2025-12-02, before: 2025-12-22}", orders=orders) == {"start", "last day"}


def test_weekdays_and_the_clock_are_those_of_the_customer_s_shop(database: duckdb.DuckDBPyConnection) -> None:
    # 2025-12-26 is a Friday; at 23:30 UTC it is Saturday, half past midnight, in Berlin.
    orders = [order("saturday there", "2025-12-26 23:30:00"), order("friday there", "2025-12-26 22:30:00")]
    assert members(database, "{done: purchase, weekdays: [saturday, sunday]}", orders=orders, zone="Europe/Berlin") == {"saturday there"}
    night = [order("six", "2025-12-20 05:00"), order("a minute to six", "2025-12-20 04:59"), order("ten", "2025-12-20 21:00")]
    assert members(database, "{done: purchase, local_time: '22:00-06:00'}", orders=night, zone="Europe/Berlin") == {
        "a minute to six",
        "ten",
    }


# --- measures --------------------------------------------------------------------------------------------------------------------


def test_counts_sums_and_means_at_the_limit(database: duckdb.DuckDBPyConnection) -> None:
    orders = [
        *[order("three of ten", f"2025-12-0{number}") for number in (1, 2, 3)],
        order("one of thirty", "2025-12-01", "30.00"),
        order("a cent less", "2025-12-01", "29.99"),
        order("taken back", "2025-12-01", "30.00"),
        order("taken back", "2025-12-02", "-0.01"),
        order("only took back", "2025-12-01", "50.00", is_purchase=False),
        order("no amount", "2025-12-01", None),
    ]
    assert members(database, "{done: purchase, count: {at_least: 3}}", orders=orders) == {"three of ten"}
    assert members(database, "{done: purchase, sum: {of: amount, at_least: 30}}", orders=orders) == {"three of ten", "one of thirty"}
    assert members(database, "{done: purchase, average: {of: amount, is: 10}}", orders=orders) == {"three of ten"}
    nothing = members(database, "{done: purchase, sum: {of: amount, at_most: 0}}", orders=orders)
    assert nothing == {"only took back", "no amount"}, "nothing bought is a sum of zero, and known"
    unknown = "{not: {done: purchase, highest: {of: amount, at_least: 0}}, unknown: excluded}"
    assert members(database, unknown, orders=orders) == set(), "the highest of no amounts is not known"


def test_a_mean_is_exact_where_floats_are_not(database: duckdb.DuckDBPyConnection) -> None:
    # 100.10 / 7 is 14.3 exactly, and 14.299999999999999 in floats.
    orders = [order("seven", f"2025-12-0{number}", "14.30") for number in range(1, 8)]
    assert members(database, "{done: purchase, average: {of: amount, at_least: 14.3}}", orders=orders) == {"seven"}


def test_duplicates_count_as_often_as_they_happened_and_once_as_a_kind(database: duckdb.DuckDBPyConnection) -> None:
    orders = [order("twice the same", "2025-12-01 10:00", store_id="s1"), order("twice the same", "2025-12-01 10:00", store_id="s1")]
    orders += [order("two stores", "2025-12-01", store_id="s1"), order("two stores", "2025-12-02", store_id="s2")]
    assert members(database, "{done: purchase, count: {is: 2}}", orders=orders) == {"twice the same", "two stores"}
    assert members(database, "{done: purchase, distinct: {of: store, is: 2}}", orders=orders) == {"two stores"}


def test_the_first_and_the_last_time(database: duckdb.DuckDBPyConnection) -> None:
    orders = [
        order("new", "2025-12-20"),
        order("old and back", "2025-01-01"),
        order("old and back", "2025-12-20"),
        order("gone", "2025-01-01"),
    ]
    assert members(database, "{done: purchase, first_time: {last: 30 days}}", orders=orders) == {"new"}
    assert members(database, "{done: purchase, last_time: {last: 30 days}}", orders=orders) == {"new", "old and back"}
    nobody = "{not: {done: purchase, last_time: {last: 30 days}}}"
    assert members(database, nobody, customers=["never"], orders=orders) == {"gone", "never"}


def test_every_month_is_every_whole_month(database: duckdb.DuckDBPyConnection) -> None:
    orders = [order("all three", at) for at in ("2025-10-31 23:59:59", "2025-11-01 00:00:00", "2025-12-31")]
    orders += [order("not november", at) for at in ("2025-10-01", "2025-12-01", "2025-09-30 23:59:59")]
    assert members(database, "{done: purchase, every_month_of: 3}", orders=orders) == {"all three"}
    mid_month = [order("full months", "2025-11-30"), order("the month itself", "2025-12-01")]
    assert members(database, "{done: purchase, every_month_of: 1}", orders=mid_month, day=date(2025, 12, 15)) == {"full months"}


def test_coming_back_after_exactly_the_gap(database: duckdb.DuckDBPyConnection) -> None:
    orders = [order("90 days", "2025-09-01 23:00"), order("90 days", "2025-11-30 01:00")]
    orders += [order("89 days", "2025-09-02"), order("89 days", "2025-11-30 23:59")]
    orders += [order("in between", "2025-09-01"), order("in between", "2025-10-01"), order("in between", "2025-11-30")]
    assert members(database, "{done: purchase, came_back_after: 90 days}", orders=orders) == {"90 days"}
    assert members(database, "{done: purchase, came_back_after: 2160 hours}", orders=orders) == set(), "26 days of hours fewer"
    assert members(database, "{done: purchase, came_back_after: 90 days, last: 31 days}", orders=orders) == set()


def test_coming_back_is_the_same_where_a_pass_reads_all_orders_anyway(database: duckdb.DuckDBPyConnection) -> None:
    now = {name: order(name, "2025-12-20", channel="web") for name in ("in the web", "elsewhere before", "not so long ago", "new")}
    before = [order("in the web", "2023-03-01", channel="web"), order("elsewhere before", "2023-03-01", channel="store")]
    before += [order("not so long ago", at, channel="web") for at in ("2023-03-01", "2025-12-01")]
    for where, back in (("", {"in the web", "elsewhere before"}), ("where: {channel: web}, ", {"in the web"})):
        gap = f"{{done: purchase, {where}came_back_after: 90 days, last: 14 days}}"
        assert members(database, gap, orders=[*now.values(), *before]) == back
        assert members(database, f"{{all: [{{done: purchase}}, {gap}]}}", orders=[*now.values(), *before]) == back


# --- order -----------------------------------------------------------------------------------------------------------------------

CART_THEN_ORDER = "{sequence: [{done: web_event, where: {name: cart_add}}, {done: purchase}], within: 1 hour}"


def test_a_sequence_is_strictly_in_order_and_within_the_second(database: duckdb.DuckDBPyConnection) -> None:
    names = ["exactly an hour", "a second more", "the same second", "the other way", "two carts"]
    visits = [web(name, "2025-12-01 10:00:00", "cart_add") for name in names] + [web("two carts", "2025-12-01 11:30:00", "cart_add")]
    orders = [
        order("exactly an hour", "2025-12-01 11:00:00"),
        order("a second more", "2025-12-01 11:00:01"),
        order("the same second", "2025-12-01 10:00:00"),
        order("the other way", "2025-12-01 09:59:59"),
        order("two carts", "2025-12-01 12:00:00"),
    ]
    assert members(database, CART_THEN_ORDER, orders=orders, visits=visits) == {"exactly an hour", "two carts"}


def test_three_steps_need_three_events(database: duckdb.DuckDBPyConnection) -> None:
    orders = [order(name, "2025-12-01") for name in ("two", "three")] + [order(name, "2025-12-02") for name in ("two", "three")]
    orders += [order("three", "2025-12-03"), order("three, slowly", "2025-11-01"), order("three, slowly", "2025-12-01")]
    orders += [order("three, slowly", "2025-12-02")]
    thrice = "{sequence: [{done: purchase}, {done: purchase}, {done: purchase}], within: 2 days}"
    assert members(database, thrice, orders=orders) == {"three"}


def test_not_followed_by_means_not_after(database: duckdb.DuckDBPyConnection) -> None:
    visits = [web(name, "2025-12-01 10:00:00", "cart_add") for name in ("left", "same second", "bought", "bought before")]
    visits += [web("back and left again", at, "cart_add") for at in ("2025-12-01", "2025-12-03")]
    orders = [
        order("same second", "2025-12-01 10:00:00"),
        order("bought", "2025-12-01 10:00:01"),
        order("bought before", "2025-12-01 09:59:59"),
        order("back and left again", "2025-12-02"),
        order("no cart", "2025-12-02"),
    ]
    abandoned = "{done: web_event, where: {name: cart_add}, not_followed_by: {done: purchase}}"
    assert members(database, abandoned, orders=orders, visits=visits) == {"left", "same second", "bought before", "back and left again"}


# --- places ----------------------------------------------------------------------------------------------------------------------


def test_ties_share_the_better_place(database: duckdb.DuckDBPyConnection) -> None:
    amounts = {"first": 90, "second": 80, "second too": 80, "third": 70, "unknown": None}
    everybody = {name: {"net_amount": None if amount is None else Decimal(amount)} for name, amount in amounts.items()}
    assert members(database, "{feature: net_amount, top: 1}", everybody) == {"first"}
    assert members(database, "{feature: net_amount, top: 2}", everybody) == {"first", "second", "second too"}
    assert members(database, "{feature: net_amount, top: 3}", everybody) == {"first", "second", "second too"}
    assert members(database, "{feature: net_amount, bottom: 1}", everybody) == {"third"}


def test_a_percentage_is_of_those_who_are_known_and_rounded_up(database: duckdb.DuckDBPyConnection) -> None:
    everybody = {str(number): {"net_amount": Decimal(number)} for number in range(1, 11)}
    everybody["unknown"] = {"net_amount": None}
    assert members(database, "{feature: net_amount, top_percent: 10}", everybody) == {"10"}
    assert members(database, "{feature: net_amount, top_percent: 10.1}", everybody) == {"10", "9"}
    denied = "{not: {feature: net_amount, top_percent: 90}}"
    assert members(database, denied, everybody) == {"1", "unknown"}


def test_places_within_a_store(database: duckdb.DuckDBPyConnection) -> None:
    everybody = {
        "first of s1": {"home_store_id": "s1", "net_amount": Decimal(5)},
        "second of s1": {"home_store_id": "s1", "net_amount": Decimal(4)},
        "first of s2": {"home_store_id": "s2", "net_amount": Decimal(1)},
        "of no store": {"home_store_id": None, "net_amount": Decimal(99)},
    }
    assert members(database, "{feature: net_amount, top: 1, within: home_store_id}", everybody) == {"first of s1", "first of s2"}


def test_who_has_done_nothing_has_no_place(database: duckdb.DuckDBPyConnection) -> None:
    orders = [order("bought", "2025-12-01", "1.00"), order("took back", "2025-12-01", "-1.00")]
    top = "{done: purchase, sum: {of: amount, top: 3}}"
    assert members(database, top, customers=["never"], orders=orders) == {"bought", "took back"}
    assert members(database, f"{{not: {top}, unknown: excluded}}", customers=["never"], orders=orders) == {"never"}


# --- unknown ---------------------------------------------------------------------------------------------------------------------

COUNTRIES: Mapping[str, Mapping[str, Any]] = {"german": {"country": "DE"}, "french": {"country": "FR"}, "unknown": {"country": None}}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("{feature: country, is: DE}", {"german"}),
        ("{not: {feature: country, is: DE}}", {"french", "unknown"}),
        ("{not: {feature: country, is: DE}, unknown: excluded}", {"french"}),
        ("{feature: country, is_not: DE}", {"french", "unknown"}),
        ("{feature: country, is_not: DE, unknown: excluded}", {"french"}),
        ("{feature: country, not_in: [DE, FR]}", {"unknown"}),
        ("{feature: country, is: DE, unknown: included}", {"german", "unknown"}),
        ("{feature: country, is_known: false}", {"unknown"}),
        ("{not: {not: {feature: country, is: DE}}}", {"german"}),
        ("{not: {any: [{feature: country, is: DE}, {feature: is_member, is: true}]}, unknown: excluded}", set()),
        ("{any: [{feature: country, is: FR}, {feature: country, is_known: false}]}", {"french", "unknown"}),
    ],
)
def test_unknown_is_decided(database: duckdb.DuckDBPyConnection, condition: str, expected: set[str]) -> None:
    assert members(database, condition, COUNTRIES) == expected


def test_a_filter_does_not_match_what_is_not_known_unless_it_denies(database: duckdb.DuckDBPyConnection) -> None:
    visits = [web("coffee", "2025-12-01", category="coffee"), web("tea", "2025-12-01", category="tea"), web("nothing said", "2025-12-01")]
    assert members(database, "{done: web_event, where: {category: coffee}}", visits=visits) == {"coffee"}
    assert members(database, "{done: web_event, where: {category: {is_not: coffee}}}", visits=visits) == {"tea", "nothing said"}
    excluded = "{done: web_event, where: {category: {is_not: coffee, unknown: excluded}}}"
    assert members(database, excluded, visits=visits) == {"tea"}


def test_a_customer_nobody_knows_is_in_no_audience(database: duckdb.DuckDBPyConnection) -> None:
    world = build_world(DAY, "UTC", {"known": {}}, definitions={"asked": {"members": {"done": "purchase"}}})
    rows = {"int_orders": [order("known", "2025-12-01"), order("stranger", "2025-12-01")]}
    write_world(database, world, rows)
    assert compiled_members(database, world)["asked"] == {"known"}


def test_a_value_is_text_whatever_it_says(database: duckdb.DuckDBPyConnection) -> None:
    everybody = {"odd": {"country": "x' or '1'='1"}, "other": {"country": "DE"}}
    assert members(database, """{feature: country, is: "x' or '1'='1"}""", everybody) == {"odd"}
