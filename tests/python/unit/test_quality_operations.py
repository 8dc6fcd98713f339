"""What a night did, as tables: complete, and the same when it is recorded twice."""

import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.quality import operations
from orchestration.quality.gate import CheckResult

DAY = datetime.date(2018, 1, 1)
START = datetime.datetime(2018, 1, 1, 7, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
START_UTC = datetime.datetime(2018, 1, 1, 5)
END = datetime.datetime(2018, 1, 1, 5, 30, tzinfo=datetime.UTC)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "working" / "warehouse.duckdb"
    operations.create_operations(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema staging")
        connection.execute(
            """
            create table staging.row_reconciliation as
            select 'customers' as table_name, 10 as rows_in, 7 as rows_used, 2 as rows_superseded, 1 as rows_quarantined
            """
        )
    return path


def rows(database: Path, table: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(f"select * from operations.{table} order by all").fetchall()


def test_the_tables_are_those_that_models_read(database: Path) -> None:
    operations.create_operations(database)
    with duckdb.connect(str(database), read_only=True) as connection:
        columns = connection.execute(
            "select table_name, column_name, data_type from information_schema.columns where table_schema = 'operations' "
            "order by table_name, ordinal_position"
        ).fetchall()
    found: dict[str, list[str]] = {}
    for table, column, kind in columns:
        found.setdefault(table, []).append(f"{column} {kind}".lower())
    text, moment = "varchar", "timestamp"
    assert found == {
        "builds": [
            f"build_id {text}", "as_of_date date", f"source {text}", f"code_version {text}", f"status {text}",
            f"started_at {moment}", f"finished_at {moment}",
            f"as_known_at {moment}",
        ],
        "build_row_counts": [
            f"build_id {text}", f"table_name {text}", "rows_in bigint", "rows_used bigint",
            "rows_superseded bigint", "rows_quarantined bigint",
        ],
        "check_results": [
            f"build_id {text}", "as_of_date date", f"checked_at {moment}", f"suite {text}", f"expectation {text}", f"column_name {text}",
            f"expected {text}", f"observed {text}", "passed boolean", f"severity {text}", f"error {text}",
        ],
        "audience_deliveries": [
            f"delivery_id {text}", f"audience_id {text}", f"build_id {text}", "as_of_date date", f"destination {text}", f"format {text}",
            f"status {text}", "members bigint", "previous bigint", "added bigint", "removed bigint", f"since_delivery_id {text}",
            f"started_at {moment}", f"finished_at {moment}", f"failure {text}",
        ],
    }  # fmt: skip


@pytest.mark.parametrize("times", [1, 2])
def test_a_night_recorded(database: Path, times: int) -> None:
    results = [
        CheckResult("rfm_segments", "expect_this", None, "1", "1", passed=True, severity="error"),
        CheckResult("rfm_segments", "expect_that", "segment", "1", "not evaluated", passed=False, severity="error", error="it's gone"),
    ]
    operations.record_build_started(database, "earlier", DAY, "demo", "v0", START)
    for _ in range(times):
        operations.record_build_started(database, "b1", DAY, "demo", "v1", START)
        operations.record_row_counts(database, "b1")
        operations.record_check_results(database, "b1", DAY, END, results)
        operations.record_build_finished(database, "b1", "published", END)
    end = END.replace(tzinfo=None)
    assert rows(database, "builds") == [
        ("b1", DAY, "demo", "v1", "published", START_UTC, end, None),
        ("earlier", DAY, "demo", "v0", "building", START_UTC, None, None),
    ]
    assert rows(database, "build_row_counts") == [("b1", "customers", 10, 7, 2, 1)]
    assert rows(database, "check_results") == [
        ("b1", DAY, end, "rfm_segments", "expect_that", "segment", "1", "not evaluated", False, "error", "it's gone"),
        ("b1", DAY, end, "rfm_segments", "expect_this", None, "1", "1", True, "error", None),
    ]


def test_a_second_attempt_starts_over(database: Path) -> None:
    operations.record_build_started(database, "b1", DAY, "demo", "v1", START)
    operations.record_row_counts(database, "b1")
    operations.record_build_finished(database, "b1", "failed", END)
    operations.record_build_started(database, "b1", DAY, "demo", "v2", START)
    assert rows(database, "builds") == [("b1", DAY, "demo", "v2", "building", START_UTC, None, None)]
    assert rows(database, "build_row_counts") == []


def test_what_fails_leaves_what_was_there(database: Path) -> None:
    operations.record_row_counts(database, "b1")
    with duckdb.connect(str(database)) as connection:
        connection.execute("drop table staging.row_reconciliation")
    with pytest.raises(duckdb.CatalogException):
        operations.record_row_counts(database, "b1")
    assert len(rows(database, "build_row_counts")) == 1


def test_no_results_are_no_rows(database: Path) -> None:
    operations.record_check_results(database, "b1", DAY, END, [])
    assert rows(database, "check_results") == []
