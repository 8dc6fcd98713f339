"""From clean rows to the files of a source: the rows of each bucket are collected by file, then each file is written, sorted."""

from __future__ import annotations

import csv
import glob
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.sql import PARQUET, quote_literal
from orchestration.synthetic.disorder import LATE, MANUAL, RawTable

PASSING_OPTIONS = "format parquet, compression snappy"
# Two lines that no reader can take apart: one broke off, one holds a byte that is not UTF-8.
BROKEN_LINE = b"lost in transmission\n"
BROKEN_BYTES = b"caf\xe9"


@dataclass(frozen=True)
class DirtyRows:
    """How many rows of a raw table share one flaw, and what must become of them.

    Attributes:
        table_name: the raw table.
        kind: late, late_by_hand, untidy, first_version, exact_copy, missing_value, impossible_value, unknown_customer, unreadable_value,
            broken_line or broken_bytes.
        column_name: the column that is spoilt, None where it is the row as a whole.
        rows: how many.
        expected_status: used, superseded or quarantined.
        reason_begins: how the reason in quarantine begins.
    """

    table_name: str
    kind: str
    column_name: str | None
    rows: int
    expected_status: str
    reason_begins: str | None


@dataclass(frozen=True)
class WrittenTable:
    """The files of one raw table.

    Attributes:
        files: in the order in which they are landed.
        rows: rows in all of them, unusable ones included.
        dirty_rows: what is wrong with how many of them.
    """

    files: tuple[Path, ...]
    rows: int
    dirty_rows: tuple[DirtyRows, ...]


def parquet_files(folder: Path, pattern: str) -> str:
    """SQL of the rows of all files below a folder whose path fits the pattern; the folder's own name may hold anything."""
    return f"read_parquet({quote_literal(glob.escape(str(folder)) + '/' + pattern)}, hive_partitioning = false)"


def collect_rows(connection: duckdb.DuckDBPyConnection, table: RawTable, parts: Path, bucket: int) -> None:
    """Put the rows of `clean_<table>` where their files collect them (one folder for each), keep some to be spoilt, and drop the table.

    Args:
        connection: the session that holds `clean_<table>`.
        table: the raw table.
        parts: the folder of everything that is collected.
        bucket: the number of the bucket the rows come from.
    """
    folder = parts / table.name
    folder.mkdir(parents=True, exist_ok=True)
    connection.execute(
        f"copy ({table.landed_sql()}) to {quote_literal(str(folder))} "
        f"({PASSING_OPTIONS}, partition_by (part), overwrite_or_ignore, filename_pattern 'bucket_{bucket:06}_{{i}}')"
    )
    rows = connection.execute(f"select count(*) from clean_{table.name}").fetchall()[0][0]
    candidates = table.candidates_sql(rows)
    if bucket == 0:
        connection.execute(f"create table candidates_{table.name} as {candidates}")
    else:
        connection.execute(f"insert into candidates_{table.name} {candidates}")
    connection.execute(f"drop table clean_{table.name}")


def write_table(connection: duckdb.DuckDBPyConnection, table: RawTable, parts: Path, folder: Path) -> WrittenTable:
    """Write the files of one raw table from what was collected, with the spoilt rows among them, and say what is wrong with them.

    Files are numbered in the order of landing: the history (by quarter where the table is filed by time), what came late or corrected,
    what was typed by hand.
    """
    collected = parts / table.name
    target = folder / table.name
    target.mkdir()
    found = sorted(path.name.removeprefix("part=") for path in collected.iterdir())
    fates: dict[str, int] = {}
    if found:
        fates = dict(connection.execute(f"select fate, count(*) from {_collected(collected, '*')} group by fate").fetchall())
    sound_rows = sum(fates.values()) - fates.get("first_version", 0) - fates.get("copy", 0)
    names = [name for name in found if name not in (LATE, MANUAL)] + [LATE, MANUAL]
    dirty = _fated_rows(table, fates)
    files = []
    for number, name in enumerate(names, start=1):
        is_text = name == MANUAL
        sources = [_collected(collected, name)] if name in found else []
        if name in (LATE, MANUAL):
            spoilt = table.spoilt_sql(sound_rows, is_text)
            if spoilt:
                connection.execute(f"create or replace temp table spoilt as {spoilt}")
                sources.append("spoilt")
                dirty += _spoilt_rows(connection, table)
        file = target / f"{number:04}_{name}.{'csv' if is_text else 'parquet'}"
        if is_text:
            _write_csv(connection, table, sources, file)
            dirty += _broken_lines(table)
        else:
            connection.execute(f"copy ({_sorted(table, sources)}) to {quote_literal(str(file))} ({PARQUET})")
        files.append(file)
    # Late and untidy rows are among the collected ones; the unusable ones come on top.
    rows = sum(fates.values()) + sum(flaw.rows for flaw in dirty if flaw.expected_status == "quarantined")
    return WrittenTable(tuple(files), rows, tuple(dirty))


def _collected(folder: Path, part: str) -> str:
    return parquet_files(folder, f"part={part}/*.parquet")


def _sorted(table: RawTable, sources: Iterable[str], as_text: bool = False) -> str:
    """All rows of the sources in one order; equal keys are told apart by the whole row."""
    columns = ", ".join(column.name for column in table.columns)
    texts = ", ".join(f"cast({column.name} as varchar) as {column.name}" if as_text else column.name for column in table.columns)
    rows = " union all ".join(f"select {texts} from {source}" for source in sources)
    time = [table.disorder["time"]] if "time" in table.disorder else []
    order = ", ".join([*time, *(column for column in table.disorder["key"] if column not in time), f"hash(row({columns}))"])
    return f"select {columns} from ({rows}) order by {order}"


def _write_csv(connection: duckdb.DuckDBPyConnection, table: RawTable, sources: list[str], file: Path) -> None:
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(column.name for column in table.columns)
    file.write_text(header.getvalue(), encoding="utf-8")
    if sources:
        connection.execute(f"copy ({_sorted(table, sources, as_text=True)}) to {quote_literal(str(file))} (format csv, header)")
    with file.open("ab") as out:
        out.write(BROKEN_LINE + BROKEN_BYTES + b"," * (len(table.columns) - 1) + b"\n")


def _broken_lines(table: RawTable) -> list[DirtyRows]:
    first = table.columns[0].name
    return [
        DirtyRows(table.name, "broken_line", None, 1, "quarantined", "unreadable value in (whole line)"),
        DirtyRows(table.name, "broken_bytes", first, 1, "quarantined", f"unreadable value in {first}"),
    ]


def _fated_rows(table: RawTable, fates: dict[str, int]) -> list[DirtyRows]:
    statuses = {"late": "used", "late_by_hand": "used", "untidy": "used", "first_version": "superseded", "copy": "superseded"}
    kinds = {"copy": "exact_copy"}
    return [
        DirtyRows(table.name, kinds.get(fate, fate), None, fates[fate], status, None) for fate, status in statuses.items() if fate in fates
    ]


def _spoilt_rows(connection: duckdb.DuckDBPyConnection, table: RawTable) -> list[DirtyRows]:
    reasons = {(way.kind, way.column): way.reason_begins for way in table.spoilings}
    counted = connection.execute("select kind, column_name, count(*) from spoilt group by all order by all").fetchall()
    return [DirtyRows(table.name, kind, column, rows, "quarantined", reasons[kind, column]) for kind, column, rows in counted]
