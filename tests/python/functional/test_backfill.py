"""History is the same however its days came to be recorded.

One backfill is run as a user runs it. The rest runs the models of the log by dbt in this process: thirty whole nights in several orders
would take an hour. That late rows correct history, and that a day can be had again as it was known, is in test_roll_ups.py.
"""

import random
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.ingest.source import Source
from orchestration.publishing import builds
from orchestration.settings import Settings
from orchestration.transform import dbt
from tests.python.functional.conftest import Served, plant_segments, segments

Rows = list[tuple[Any, ...]]
Memberships = dict[tuple[str, str], str]

RECORDING = (
    "current_segments",
    "previous_memberships",
    "next_memberships",
    "current_memberships",
    "segment_membership_changes",
    "segment_flows",
    "withdrawn_memberships",
    "segment_days",
    "customer_memberships",
    "ended_memberships",
)
HISTORY = ("segment_membership_history", "segment_sizes", "segment_migrations")


def published(database: Path, *views: str) -> dict[str, Rows]:
    """Rows of published views in a working database, sorted."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return {view: connection.execute(f"select * from reporting.{view} order by all").fetchall() for view in views}


# --- thirty days, in several orders ------------------------------------------------------------------------------------------------

# Over the end of a year, in which a week, a month and a quarter begin.
THIRTY_DAYS = [date(2024, 12, 12) + timedelta(days=number) for number in range(30)]
SEGMENTS_OF = {
    "rfm": ["champions", "loyal", "lost", "new"],
    "loyalty_status": ["loyal", "at_risk", "lost"],
    "socio_cultural": ["liberal", "moderate", "not_permitted"],
    "category_affinity": ["tea", "coffee"],
}
# What models ask of the planted tables; the figures are not what is compared here.
PERIOD_FEATURES = """
    1 as orders, 0 as orders_before, 10 as net_amount, 10 as gross_amount, 0 as promoted_amount, null::int as costed_amount,
    null::int as cost_amount, null::int as contacts, null::boolean as is_responding, null::boolean as is_converted,
    null::int as campaign_cost, null::int as campaign_revenue, null::int as satisfaction_sum, 0 as satisfaction_answers,
    null::int as points_redeemed
"""


def thirty_days_of_moves(seed: int) -> dict[date, Memberships]:
    """Who is in which segment on each day: customers move, move back, come, leave and come again."""
    chance = random.Random(seed)  # noqa: S311
    here: dict[str, bool] = {}
    now: Memberships = {}
    days = {}
    for day in THIRTY_DAYS:
        for customer in (f"c{number:02}" for number in range(25)):
            here[customer] = chance.random() < (0.96 if here.get(customer, customer < "c20") else 0.2)
            for segmentation, known in SEGMENTS_OF.items():
                if (customer, segmentation) not in now or chance.random() < 0.12:
                    now[customer, segmentation] = chance.choice(known)
        days[day] = {key: segment for key, segment in now.items() if here[key[0]]}
    return days


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Source]:
    """A home whose working database has the rule tables alone."""
    folder = tmp_path_factory.mktemp("planted")
    settings = Settings(home=folder / "home")
    source = Source(name="planted", folder=folder)
    settings.database(source.name).parent.mkdir(parents=True)
    run_dbt(settings, source, THIRTY_DAYS[0], "seed", "segment_definitions", "thresholds")
    return settings, source


def run_dbt(settings: Settings, source: Source, day: date, command: str, *select: str) -> None:
    dbt.run([command, "--select", *select], settings=settings, source=source, as_of_date=day, build_id="b")


def record(settings: Settings, source: Source, day: date, members: Memberships, *models: str) -> None:
    """Plant the memberships of a day and run the models of the log."""
    by_customer: dict[str, dict[str, str]] = {}
    for (customer, segmentation), segment in members.items():
        by_customer.setdefault(customer, {})[segmentation] = segment
    database = settings.database(source.name)
    plant_segments(database, day.isoformat(), by_customer)
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema if not exists features")
        for table, columns in (("customer_period_features", PERIOD_FEATURES), ("customer_order_features", "5 as net_amount_365d")):
            connection.execute(f"create or replace table features.{table} as select customer_id, {columns} from segments.planted")
    run_dbt(settings, source, day, "run", *RECORDING, *models)


@pytest.fixture(scope="module")
def thirty_days(planted: tuple[Settings, Source]) -> Iterator[tuple[dict[date, Memberships], dict[str, dict[str, Rows]]]]:
    """The planted days, and the history that several orders of recording them have left."""
    settings, source = planted
    days = thirty_days_of_moves(7)
    database = settings.database(source.name)
    rules = database.with_suffix(".rules")
    shutil.copy(database, rules)
    orders = {
        "day by day": THIRTY_DAYS,
        "in one go after the night of the last day": [THIRTY_DAYS[-1], *THIRTY_DAYS],
        "in reverse": [*reversed(THIRTY_DAYS), THIRTY_DAYS[-1]],
        # Forward and back over days recorded already, some of them twice.
        "in no order": [*random.Random(3).sample([*THIRTY_DAYS, *THIRTY_DAYS[::3]], 40), THIRTY_DAYS[-1]],  # noqa: S311
    }
    left = {}
    for name, order in orders.items():
        shutil.copy(rules, database)
        for day in order[:-1]:
            record(settings, source, day, days[day])
        record(settings, source, order[-1], days[order[-1]], *HISTORY)
        left[name] = published(database, *HISTORY)
    yield days, left


def test_any_order_of_thirty_days_leaves_the_same_history(
    thirty_days: tuple[dict[date, Memberships], dict[str, dict[str, Rows]]],
) -> None:
    _, left = thirty_days
    first, *others = left.values()
    assert all(first.values())
    assert all(other == first for other in others)


def test_intervals_give_back_each_days_memberships_exactly(
    thirty_days: tuple[dict[date, Memberships], dict[str, dict[str, Rows]]],
) -> None:
    days, left = thirty_days
    last: Memberships = {}
    for members in days.values():
        last.update(members)
    for intervals in (history["segment_membership_history"] for history in left.values()):
        for day, members in days.items():
            found = [
                ((customer, segmentation), segment)
                for customer, segmentation, segment, valid_from, valid_to in intervals
                if valid_from <= day and (valid_to is None or day < valid_to)
            ]
            # Whoever is not_permitted at last reads so all along.
            expected = {key: "not_permitted" if last[key] == "not_permitted" else segment for key, segment in members.items()}
            assert len(found) == len(expected)
            assert dict(found) == expected


def test_opening_and_who_entered_less_who_exited_is_closing(
    thirty_days: tuple[dict[date, Memberships], dict[str, dict[str, Rows]]],
) -> None:
    days, left = thirty_days
    for sizes in (history["segment_sizes"] for history in left.values()):
        opening: dict[tuple[str, str], int] = {}
        for day, members in days.items():
            closing = {}
            for as_of_date, segmentation, segment, customers, _, _, entered, exited in sizes:
                if as_of_date == day:
                    closing[segmentation, segment] = customers
                    assert opening.get((segmentation, segment), 0) + entered - exited == customers
            counted = [(segmentation, segment) for (_, segmentation), segment in members.items()]
            assert {key: size for key, size in closing.items() if size} == {key: counted.count(key) for key in set(counted)}
            opening = closing


# --- as a user runs it ---------------------------------------------------------------------------------------------------------------


D1, D2, D3 = date(2025, 6, 1), date(2025, 6, 2), date(2025, 6, 3)


def test_backfill_from_the_command_line(tmp_path: Path, write_shop: Callable[[Path, int], Path]) -> None:
    home = tmp_path / "home"
    arguments = ("--source", str(write_shop(tmp_path / "shop", 30)), "--home", str(home))
    future = segments("backfill", "--from", "2025-01-01", "--to", "2999-01-01", *arguments)
    assert future.exit_code == 2 and "2999-01-01 has not begun" in future.errors
    assert not home.exists()

    run = segments("backfill", "--from", str(D1), "--to", str(D2), *arguments)
    assert run.exit_code == 0, run.errors + run.output
    assert "day 1 of 2" in run.errors and "full refresh: the working tables have not been built whole yet" in run.errors
    assert str(D1) in run.output and f"as of {D2}" in run.output
    mistyped = segments("backfill", "--from", "1999-06-01", "--to", str(D2), *arguments)
    assert mistyped.exit_code == 2 and "2024-01-01, the day of the first event known" in mistyped.errors
    served = Served(home)
    assert served.query("select distinct as_of_date from published.rfm_segments") == [(D2,)]
    assert served.query("select distinct as_of_date from published.segment_sizes order by 1") == [(D1,), (D2,)]
    assert served.query("select as_of_date, status, as_known_at from published.builds order by 1") == [
        (D1, builds.RECORDED, None),
        (D2, builds.PUBLISHED, None),
    ]
    assert served.query("select as_of_date, is_outdated from published.recorded_days order by 1") == [(D1, False), (D2, False)]
    assert served.query("select count(distinct build_id) from published.data_quality_results") == [(2,)]
    recorded, shown = builds.list_builds(home)
    assert (recorded.status, shown.status) == (builds.RECORDED, builds.PUBLISHED)
    assert not (builds.build_dir(home, recorded.id) / builds.DATABASE_FILE).exists()
    assert segments("rollback", recorded.id, "--home", str(home)).exit_code == 2
    assert segments("rollback", "--home", str(home)).exit_code == 2

    # An order of the day before D2 comes a day too late: the next night records D2 again, and publishes it with its own day.
    with (tmp_path / "shop" / "transactions.csv").open("a") as file:
        file.write(f"late,1,customer_0001,{D1}T12:00:00,20.00\n")
    run = segments("nightly", "--as-of", str(D3), *arguments)
    assert run.exit_code == 0, run.errors + run.output
    assert f"History corrected, because rows came late or a night broke off: {D2}" in run.output
    assert f"correction 1 of 1, {D2}: " in run.errors
    began = [build.as_of_date for build in builds.list_builds(home)]
    assert began == [D1, D2, D2, D3], "each day is described once, the corrected one first"
    assert served.query("select as_of_date, is_outdated from published.recorded_days order by 1") == [(D1, False), (D2, False), (D3, False)]
    since = "select valid_from from published.segment_membership_history where valid_to is null and segmentation = 'rfm' and customer_id"
    assert served.query(f"{since} = 'customer_0001'") == [(D2,)], "since the day that the late order changes, not since it came"
