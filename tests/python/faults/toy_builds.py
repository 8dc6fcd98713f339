"""Builds small enough to publish many of: three tables in which every row says which build it is of."""

import datetime
from pathlib import Path

import duckdb

from orchestration.publishing.builds import Build, build_dir, start_build
from orchestration.publishing.serving import PublishedTable, publish_build
from orchestration.quality.gate import CheckResult
from orchestration.quality.verdict import fingerprint_tables, store_verdict

AS_OF_DATE = datetime.date(2018, 1, 1)
NOON = datetime.datetime(2018, 1, 1, 12, tzinfo=datetime.UTC)
SEGMENT_TABLES = ["rfm_segments", "value_segments"]
PASSED = CheckResult("rfm_segments", "expect_something", "customer_id", "this", "this", passed=True, severity="error")
TABLES = [
    PublishedTable(
        "rfm_segments", "segments", "rfm_segments", "Grain: one row per customer.", {"customer_id": "The customer."}, ("customer_id",)
    ),
    PublishedTable("value_segments", "segments", "value_segments", order_by=("customer_id",)),
    # A view, and published under another name.
    PublishedTable("segment_memberships", "reporting", "memberships", "It's a view.", order_by=("customer_id", "marker")),
]


def make_working(home: Path, marker: str, rows: int = 50) -> Path:
    """The working database of a night: `rows` customers, each row marked."""
    database = home / "working" / "toy" / "warehouse.duckdb"
    database.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema if not exists segments; create schema if not exists reporting")
        for table in SEGMENT_TABLES:
            connection.execute(
                f"create or replace table segments.{table} as "
                "select 'customer-' || (n * 7919) % $rows as customer_id, $marker as marker, n as amount from range($rows) as numbers(n)",
                {"rows": rows, "marker": marker},
            )
        connection.execute(
            "create or replace view reporting.memberships as from warehouse.segments.rfm_segments select customer_id, marker"
        )
    return database


def pass_audit(folder: Path, database: Path) -> None:
    """Store a passed verdict about what `database` holds now."""
    with duckdb.connect(str(database), read_only=True) as connection:
        store_verdict(folder, AS_OF_DATE, NOON, [PASSED], fingerprint_tables(connection, SEGMENT_TABLES))


def audited(home: Path, marker: str, rows: int = 50) -> tuple[Build, Path]:
    """A build that passed its audit and is not written yet, and its working database."""
    database = make_working(home, marker, rows)
    build = start_build(home, "toy", AS_OF_DATE, "v1")
    pass_audit(build_dir(home, build.id), database)
    return build, database


def publish(home: Path, marker: str, rows: int = 50) -> Build:
    """A whole night."""
    build, database = audited(home, marker, rows)
    return publish_build(home, build.id, database, TABLES)


def served_marker(home: Path) -> str:
    """Which build readers see; an error when the tables are not all of one."""
    with duckdb.connect(str((home / "serving" / "segments.duckdb").resolve()), read_only=True) as connection:
        markers = connection.execute(" union ".join(f"select marker from published.{table.name}" for table in TABLES)).fetchall()
    ((marker,),) = markers
    return str(marker)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, byte for byte."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
