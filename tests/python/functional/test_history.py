"""The log of membership changes is the same whatever order the days are built in, and building a day again changes nothing.

The models are run by dbt as they are, on memberships made here for each day.
"""

import json
import shutil
from collections.abc import Callable
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.corrections import outdated_days, unfinished_days
from orchestration.transform import dbt
from tests.python.functional.conftest import plant_segments

PROJECT = Path(__file__).parents[3]

# Who was where: a stays, b moves and moves back, c comes late, d goes and comes again, e is only there on the first day.
DAYS = {
    "2024-03-01": {"a": "loyal", "b": "new", "d": "new", "e": "lost"},
    "2024-03-02": {"a": "loyal", "b": "loyal"},
    "2024-03-04": {"a": "loyal", "b": "new", "c": "new", "d": "new"},
}
MODELS = (
    *("current_segments", "previous_memberships", "next_memberships", "current_memberships", "segment_membership_changes"),
    "withdrawn_memberships",
    *("customer_memberships", "ended_memberships", "segment_membership_history"),
)

Rows = list[tuple[Any, ...]]
Build = Callable[..., None]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "warehouse.duckdb"
    monkeypatch.setenv("SEGMENTS_DATABASE", str(path))
    monkeypatch.setenv("SEGMENTS_LANDING", str(tmp_path))
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    return path


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    target = tmp_path_factory.mktemp("dbt")
    flags = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    flags += ["--target-path", str(target), "--log-path", str(target / "logs")]
    return [*flags, "--log-level", "none", "--log-level-file", "none"]


@pytest.fixture(scope="module")
def manifest(flags: list[str]) -> Any:
    """The project, parsed once: a parse for each day would take most of the time."""
    result = dbt.invoke(["parse", *flags])
    assert result.success, result.exception
    return result.result


@pytest.fixture
def build(database: Path, flags: list[str], manifest: Any) -> Build:
    """Record one day: plant the segments of the day and run the models of the log, or some of them."""

    def run(day: str, members: dict[str, str], *models: str) -> None:
        plant_segments(database, day, {customer: {"rfm": segment} for customer, segment in members.items()})
        variables = json.dumps({"as_of_date": day})
        result = dbt.invoke(["run", "--select", *(models or MODELS), *flags, "--vars", variables], manifest)
        assert result.success, result.exception or [r.message for r in result.result.results]

    return run


CHECKS = (
    "assert_history_agrees_with_memberships",
    "assert_membership_intervals_neither_overlap_nor_leave_gaps",
    "assert_every_customer_is_in_every_segmentation",
)
# What is wrong with the history as a whole, and the checks that must find it.
FAULTS = {
    "a change is lost": ("delete from history.segment_membership_changes where customer_id = 'c'", CHECKS[:2]),
    "a change leads elsewhere": (
        "update history.segment_membership_changes set segment_after = 'lost' where customer_id = 'c'",
        CHECKS[:1],
    ),
    "another customer moved": ("update history.segment_membership_changes set customer_id = 'a' where customer_id = 'c'", CHECKS[:2]),
    "an interval ends before it begins": (
        "update history.segment_membership_changes set segment_before_since = as_of_date "
        "where customer_id = 'e' and segment_before is not null",
        CHECKS[1:2],
    ),
    "an interval begins too soon": (
        "update history.segment_membership_changes set segment_before_since = date '2024-03-01' "
        "where customer_id = 'b' and as_of_date = date '2024-03-04'",
        CHECKS[1:2],
    ),
    "somebody is there since another day": (
        "update history.current_memberships set rfm_since = date '2024-03-02' where customer_id = 'a'",
        CHECKS[1:2],
    ),
    "somebody is in no segment": ("delete from segments.planted where customer_id = 'a'", (CHECKS[0], CHECKS[2])),
    "a stranger takes a place": ("update segments.planted set customer_id = 'z' where customer_id = 'a'", (CHECKS[0], CHECKS[2])),
}


def failed_checks(database: Path, manifest: Any, flags: list[str]) -> set[str]:
    """The checks of the history that fail on what is in the database, for the last of the days."""
    variables = json.dumps({"as_of_date": "2024-03-04"})
    result = dbt.invoke(["test", "--select", *CHECKS, *flags, "--vars", variables], manifest)
    assert len(result.result.results) >= len(CHECKS)
    assert not [found.message for found in result.result.results if found.status == "error"]
    return {found.node.name for found in result.result.results if found.status == "fail"}


def log(database: Path) -> Rows:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute("select * exclude (written_in_run) from history.segment_membership_changes order by all").fetchall()


def history(database: Path) -> Rows:
    with duckdb.connect(str(database), read_only=True) as connection:
        query = (
            "select customer_id, segment, cast(valid_from as varchar), cast(valid_to as varchar) from reporting.segment_membership_history"
        )
        return connection.execute(f"{query} order by customer_id, valid_from").fetchall()


EXPECTED = [
    ("a", "loyal", "2024-03-01", None),
    ("b", "new", "2024-03-01", "2024-03-02"),
    ("b", "loyal", "2024-03-02", "2024-03-04"),
    ("b", "new", "2024-03-04", None),
    ("c", "new", "2024-03-04", None),
    ("d", "new", "2024-03-01", "2024-03-02"),
    ("d", "new", "2024-03-04", None),
    ("e", "lost", "2024-03-01", "2024-03-02"),
]


@pytest.mark.parametrize("order", [" ".join(order) for order in permutations(DAYS)])
def test_any_order_of_days_leaves_the_same_log(build: Build, database: Path, order: str) -> None:
    for day in order.split():
        build(day, DAYS[day])
    # The published view shows what was known up to the day it was built for; so the last day is built again before looking.
    build("2024-03-04", DAYS["2024-03-04"])
    assert history(database) == EXPECTED
    assert len(log(database)) == len(DAYS) + 4 + 3 + 3


def test_a_corrected_day_takes_its_old_changes_back(build: Build, database: Path) -> None:
    build("2024-03-01", {"a": "new"})
    build("2024-03-02", {"a": "lost"})
    build("2024-03-02", {"a": "new"})
    assert history(database) == [("a", "new", "2024-03-01", None)]


def test_a_past_day_shows_what_was_known_then(build: Build, database: Path) -> None:
    for day, members in DAYS.items():
        build(day, members)
    build("2024-03-02", DAYS["2024-03-02"])
    assert history(database) == [
        ("a", "loyal", "2024-03-01", None),
        ("b", "new", "2024-03-01", "2024-03-02"),
        ("b", "loyal", "2024-03-02", None),
        ("d", "new", "2024-03-01", "2024-03-02"),
        ("e", "lost", "2024-03-01", "2024-03-02"),
    ]


def test_a_log_that_does_not_say_since_when_learns_it(build: Build, database: Path) -> None:
    build("2024-03-01", DAYS["2024-03-01"])
    build("2024-03-02", DAYS["2024-03-02"])
    with duckdb.connect(str(database)) as connection:
        connection.execute("alter table history.segment_membership_changes drop column segment_before_since")
        connection.execute("alter table history.segment_membership_changes drop column written_in_run")
    build("2024-03-04", DAYS["2024-03-04"])
    assert history(database) == EXPECTED


def test_a_run_that_broke_off_before_the_log_was_written_does_not_count(build: Build, database: Path) -> None:
    build("2024-03-01", DAYS["2024-03-01"])
    build("2024-03-02", {"a": "lost"}, "current_segments", "previous_memberships", "next_memberships", "current_memberships")
    build("2024-03-04", DAYS["2024-03-01"])
    assert [row for row in history(database) if row[0] == "a"] == [("a", "loyal", "2024-03-01", None)]


def test_checks_of_the_history_find_what_is_planted(build: Build, database: Path, manifest: Any, flags: list[str], tmp_path: Path) -> None:
    for day, members in DAYS.items():
        build(day, members)
    clean = shutil.copy(database, tmp_path / "clean.duckdb")
    found = {"nothing": failed_checks(database, manifest, flags)}
    for name, (fault, _) in FAULTS.items():
        shutil.copy(clean, database)
        with duckdb.connect(str(database)) as connection:
            connection.execute(fault)
        found[name] = failed_checks(database, manifest, flags)
    assert found == {"nothing": set(), **{name: set(checks) for name, (_, checks) in FAULTS.items()}}


def test_segmentations_come_and_go(build: Build, database: Path, manifest: Any, flags: list[str]) -> None:
    """Who was in a segmentation that is no more has left it, one that has come since is entered by everybody, and no check fails."""
    models = (*MODELS, "segment_flows")
    build("2024-03-01", DAYS["2024-03-01"], *models)
    with duckdb.connect(str(database)) as connection:
        for table in ("segment_membership_changes", "segment_flows"):
            # As a project has left it that had another one in place of rfm.
            connection.execute(f"update history.{table} set segmentation = 'no_more' where segmentation = 'rfm'")
        for column in ("segment", "since"):
            connection.execute(f"alter table history.current_memberships rename column rfm_{column} to no_more_{column}")
    build("2024-03-02", DAYS["2024-03-02"], *models)
    build("2024-03-04", DAYS["2024-03-04"], *models)
    assert failed_checks(database, manifest, flags) == set()
    with duckdb.connect(str(database), read_only=True) as connection:
        query = (
            "select segmentation, customer_id, segment, valid_from::varchar, valid_to::varchar from reporting.segment_membership_history"
        )
        told = connection.execute(f"{query} order by all").fetchall()
    left = [("no_more", customer, segment, "2024-03-01", "2024-03-02") for customer, segment in sorted(DAYS["2024-03-01"].items())]
    assert [row for row in told if row[0] == "no_more"] == left
    assert [row[1:] for row in told if row[0] == "rfm"] == [
        ("a", "loyal", "2024-03-02", None),
        ("b", "loyal", "2024-03-02", "2024-03-04"),
        ("b", "new", "2024-03-04", None),
        ("c", "new", "2024-03-04", None),
        ("d", "new", "2024-03-04", None),
    ]


def test_a_day_is_unfinished_until_everything_is_recorded_of_it(build: Build, database: Path) -> None:
    assert unfinished_days(database) == []
    build("2024-03-01", DAYS["2024-03-01"])
    assert unfinished_days(database) == [date(2024, 3, 1)] == outdated_days(database)
    with duckdb.connect(str(database)) as connection:
        connection.execute("update history.recorded_days set is_finished = true, known_to = timestamp '2024-03-01 05:00:00'")
    assert unfinished_days(database) == []
    # Recorded again, it is what it is now and not what it was.
    build("2024-03-01", DAYS["2024-03-01"])
    assert unfinished_days(database) == [date(2024, 3, 1)]
