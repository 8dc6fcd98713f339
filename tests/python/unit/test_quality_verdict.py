"""The verdict opens the gate for exactly the rows that were audited, and for nothing else."""

import datetime
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.errors import GateClosed
from orchestration.quality.gate import CheckResult
from orchestration.quality.verdict import (
    Fingerprint,
    fingerprint_tables,
    read_verdict,
    require_passed_verdict,
    store_verdict,
)

DAY = datetime.date(2018, 1, 1)
NOON = datetime.datetime(2018, 1, 1, 12, tzinfo=datetime.UTC)
TABLES = ["a_segments", "b_segments"]
GOOD = CheckResult("a_segments", "expect_good", None, "this", "this", passed=True, severity="error")
WARNED = CheckResult("a_segments", "expect_warned", "segment", "this", "that", passed=False, severity="warning")
BAD = CheckResult("a_segments", "expect_bad", "segment", "at most 5", "7", passed=False, severity="error")
RAISED = CheckResult("b_segments", "expect_raised", None, "", "not evaluated", passed=False, severity="error", error="no such table")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema segments")
        for table in TABLES:
            connection.execute(
                f"create table segments.{table} as select 'c' || n as customer_id, n % 7 as score, n % 3 as other from range(1000) as r(n)"
            )
    return path


@pytest.fixture
def build_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "builds" / "2018-01-01T20180101T120000Z"
    folder.mkdir(parents=True)
    return folder


def audited(build_dir: Path, database: Path, *results: CheckResult) -> None:
    with duckdb.connect(str(database), read_only=True) as connection:
        store_verdict(build_dir, DAY, NOON, results, fingerprint_tables(connection, TABLES))


def execute(database: Path, sql: str) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(sql)


def test_a_passed_verdict_opens_the_gate_and_reads_back(build_dir: Path, database: Path) -> None:
    audited(build_dir, database, GOOD, WARNED)
    verdict = require_passed_verdict(build_dir, database, TABLES)
    assert verdict == read_verdict(build_dir)
    assert (verdict.build_id, verdict.as_of_date, verdict.checked_at) == (build_dir.name, DAY, NOON)
    assert verdict.results == (GOOD, WARNED)
    assert verdict.blocking == []
    assert [path.name for path in build_dir.iterdir()] == ["verdict.json"]


def test_without_a_verdict(build_dir: Path, database: Path) -> None:
    with pytest.raises(GateClosed, match="was never audited"):
        require_passed_verdict(build_dir, database)


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ((GOOD, BAD), r"did not pass its audit: a_segments: expect_bad.*: expected at most 5, observed 7\.$"),
        ((RAISED,), "b_segments: expect_raised.*, observed no such table"),
        ((BAD, RAISED, BAD, BAD, BAD), "and 2 more"),
        ((), "no check was run"),
    ],
)
def test_a_failed_verdict(build_dir: Path, database: Path, results: tuple[CheckResult, ...], message: str) -> None:
    audited(build_dir, database, *results)
    with pytest.raises(GateClosed, match=message):
        require_passed_verdict(build_dir, database)


def test_the_verdict_of_another_build(build_dir: Path, database: Path) -> None:
    audited(build_dir, database, GOOD)
    other = build_dir.with_name("2018-01-02T20180102T120000Z")
    build_dir.rename(other)
    with pytest.raises(GateClosed, match=r"is of the build 2018-01-01T20180101T120000Z: audit 2018-01-02"):
        require_passed_verdict(other, database)


CHANGES = {
    "one value": "update segments.a_segments set score = score + 1 where customer_id = 'c5'",
    "one row more": "insert into segments.b_segments values ('c1000', 0, 0)",
    "a row twice": "insert into segments.a_segments from segments.a_segments where customer_id = 'c5'",
    "a row less": "delete from segments.b_segments where customer_id = 'c5'",
    "one row for another": "update segments.a_segments set customer_id = 'c1000' where customer_id = 'c5'",
    "two rows change a value": "update segments.a_segments set score = 3 - score where customer_id in ('c1', 'c2')",
    "two columns change places": "update segments.a_segments set score = other, other = score",
    "null for zero": "update segments.a_segments set score = null where customer_id = 'c0'",
    "another type": "alter table segments.a_segments alter score type integer",
    "another name": "alter table segments.a_segments rename score to points",
    "gone": "drop table segments.b_segments",
    "empty": "delete from segments.b_segments",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_rows_that_changed_after_the_audit(build_dir: Path, database: Path, change: str) -> None:
    audited(build_dir, database, GOOD)
    execute(database, change)
    with pytest.raises(GateClosed, match=r"segments\.[ab]_segments is not what was audited"):
        require_passed_verdict(build_dir, database)


def test_the_order_of_the_rows_does_not_matter(build_dir: Path, database: Path) -> None:
    audited(build_dir, database, GOOD)
    execute(database, "create or replace table segments.a_segments as from segments.a_segments order by hash(customer_id)")
    require_passed_verdict(build_dir, database)


def test_a_table_that_was_not_audited(build_dir: Path, database: Path) -> None:
    audited(build_dir, database, GOOD)
    with pytest.raises(GateClosed, match=r"segments\.c_segments was not audited"):
        require_passed_verdict(build_dir, database, [*TABLES, "c_segments"])


def edit(build_dir: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = build_dir / "verdict.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        # Saying that it passed is not enough: the results must say so too.
        (lambda verdict: verdict.update(passed=True), "did not pass its audit: a_segments: expect_bad"),
        (lambda verdict: verdict.update(passed=True, results=[]), "no check was run"),
        (lambda verdict: verdict.update(passed="yes"), "did not pass"),
        (lambda verdict: verdict.pop("results"), "cannot be read"),
        (lambda verdict: verdict.update(fingerprints=3), "cannot be read"),
        (lambda verdict: verdict.update(as_of_date="someday"), "cannot be read"),
        (lambda verdict: verdict["results"][0].update(more=1), "cannot be read"),
    ],
)
def test_a_verdict_that_was_tampered_with(
    build_dir: Path, database: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    audited(build_dir, database, BAD)
    edit(build_dir, change)
    with pytest.raises(GateClosed, match=message):
        require_passed_verdict(build_dir, database)


def test_a_passed_verdict_set_to_failed_stays_closed(build_dir: Path, database: Path) -> None:
    audited(build_dir, database, GOOD)
    edit(build_dir, lambda verdict: verdict.update(passed=False))
    with pytest.raises(GateClosed, match="its verdict says so"):
        require_passed_verdict(build_dir, database)


def test_a_torn_verdict(build_dir: Path, database: Path) -> None:
    audited(build_dir, database, GOOD)
    path = build_dir / "verdict.json"
    path.write_text(path.read_text()[:-20])
    with pytest.raises(GateClosed, match="cannot be read"):
        require_passed_verdict(build_dir, database)


def test_fingerprints(database: Path) -> None:
    with duckdb.connect(str(database), read_only=True) as connection:
        first = fingerprint_tables(connection, [*TABLES, "gone"])
        assert list(first) == TABLES
        assert first["a_segments"] == first["b_segments"]
        assert first["a_segments"] != replace(first["a_segments"], rows=999)
        assert isinstance(first["a_segments"], Fingerprint)
        assert first["a_segments"].columns == "customer_id VARCHAR, score BIGINT, other BIGINT"
