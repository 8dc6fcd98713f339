"""What was done, as tables of the working database: builds, their row counts, their check results, deliveries (schema operations).

The models of the schema reporting read these tables. Every function opens the database for itself and closes it again, may be
repeated, and leaves the same rows when it is. All times are UTC.
"""

import datetime
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import duckdb

from orchestration.delivery.records import Delivery
from orchestration.publishing.builds import Build
from orchestration.quality.gate import CheckResult
from orchestration.working_database import insert, transaction_with, utc

TABLES = (
    """
    create table if not exists operations.builds (
        build_id string, as_of_date date, source string, code_version string, status string, started_at timestamp, finished_at timestamp,
        as_known_at timestamp
    )
    """,
    # For databases of before there was such a column.
    "alter table operations.builds add column if not exists as_known_at timestamp",
    """
    create table if not exists operations.build_row_counts (
        build_id string, table_name string, rows_in bigint, rows_used bigint, rows_superseded bigint, rows_quarantined bigint
    )
    """,
    """
    create table if not exists operations.check_results (
        build_id string, as_of_date date, checked_at timestamp, suite string, expectation string, column_name string,
        expected string, observed string, passed boolean, severity string, error string
    )
    """,
    """
    create table if not exists operations.audience_deliveries (
        delivery_id string, audience_id string, build_id string, as_of_date date, destination string, format string, status string,
        members bigint, previous bigint, added bigint, removed bigint, since_delivery_id string,
        started_at timestamp, finished_at timestamp, failure string
    )
    """,
)


def _transaction(database: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """The working database with its operations tables, in one transaction: all of it happens or nothing."""
    database.parent.mkdir(parents=True, exist_ok=True)
    return transaction_with(database, "operations", TABLES)


def create_operations(database: Path) -> None:
    """Create the schema and its empty tables where they are missing, so that models can read them in the first night."""
    with _transaction(database):
        pass


def record_build_started(
    database: Path,
    build_id: str,
    as_of_date: datetime.date,
    source: str,
    code_version: str,
    started_at: datetime.datetime,
    as_known_at: datetime.datetime | None = None,
) -> None:
    """Enter a build with status building. What an earlier attempt under the same id left is replaced."""
    with _transaction(database) as connection:
        for table in ("builds", "build_row_counts", "check_results"):
            connection.execute(f"delete from operations.{table} where build_id = ?", [build_id])
        begun = {
            "build_id": build_id,
            "as_of_date": as_of_date,
            "source": source,
            "code_version": code_version,
            "status": "building",
            "started_at": utc(started_at),
            "as_known_at": as_known_at and utc(as_known_at),
        }
        insert(connection, "operations.builds", [begun])


def correct_builds(database: Path, builds: Sequence[Build]) -> None:
    """Give the builds entered here the status and end that the records of the home give them: those are the truth.

    They differ where a process ended in the middle: a build is entered as published just before it is, and as building until it ends.
    """
    with _transaction(database) as connection:
        connection.executemany(
            "update operations.builds set status = $status, finished_at = $finished_at where build_id = $build_id and status <> $status",
            [
                {"build_id": build.id, "status": build.status, "finished_at": build.finished_at and utc(build.finished_at)}
                for build in builds
            ],
        )


def record_row_counts(database: Path, build_id: str) -> None:
    """Enter the rows in, used, superseded and quarantined of every raw table, as staging.row_reconciliation counts them now."""
    with _transaction(database) as connection:
        connection.execute("delete from operations.build_row_counts where build_id = ?", [build_id])
        connection.execute(
            """
            insert into operations.build_row_counts
            select ?, table_name, rows_in, rows_used, rows_superseded, rows_quarantined
            from staging.row_reconciliation
            """,
            [build_id],
        )


def record_check_results(
    database: Path, build_id: str, as_of_date: datetime.date, checked_at: datetime.datetime, results: Sequence[CheckResult]
) -> None:
    """Enter what every check of the gate found, passed or not."""
    rows: list[dict[str, Any]] = [
        {
            "build_id": build_id,
            "as_of_date": as_of_date,
            "checked_at": utc(checked_at),
            "suite": result.suite,
            "expectation": result.expectation,
            "column_name": result.column,
            "expected": result.expected,
            "observed": result.observed,
            "passed": result.passed,
            "severity": result.severity,
            "error": result.error,
        }
        for result in results
    ]
    with _transaction(database) as connection:
        connection.execute("delete from operations.check_results where build_id = ?", [build_id])
        insert(connection, "operations.check_results", rows)


def record_deliveries(database: Path, deliveries: Sequence[Delivery]) -> None:
    """Enter all deliveries of audiences, in place of what was entered of them before: the records of the home are the truth."""
    rows: list[dict[str, Any]] = [
        {
            "delivery_id": each.id,
            "audience_id": each.audience_id,
            "build_id": each.build_id,
            "as_of_date": each.as_of_date,
            "destination": each.destination,
            "format": each.format,
            "status": each.status,
            "members": each.members,
            "previous": each.previous,
            "added": each.added,
            "removed": each.removed,
            "since_delivery_id": each.since_delivery_id,
            "started_at": utc(each.started_at),
            "finished_at": each.finished_at and utc(each.finished_at),
            "failure": each.failure,
        }
        for each in deliveries
    ]
    with _transaction(database) as connection:
        connection.execute("delete from operations.audience_deliveries")
        insert(connection, "operations.audience_deliveries", rows)


def record_build_finished(database: Path, build_id: str, status: str, finished_at: datetime.datetime) -> None:
    """Give a build its last status (such as published or failed) and its end. Unknown ids change nothing."""
    with _transaction(database) as connection:
        connection.execute(
            "update operations.builds set status = ?, finished_at = ? where build_id = ?", [status, utc(finished_at), build_id]
        )
