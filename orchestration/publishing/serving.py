"""Writing what readers get: one DuckDB file and the same tables as Parquet, whole and verified before anybody sees them.

What was tried about readers (DuckDB 2.0; tests/python/unit/test_publishing_serving.py, tests/python/faults/test_readers_during_swaps.py):

- A build is a file of its own that nobody writes after the swap, so readers and publishing never wait for each other's locks.
- A connection opened before the swap goes on reading the build it opened, also when that build is pruned.
- A connection opened after the swap reads the new build, also in a process that still has the old one open: DuckDB keeps one
  instance per file and process, and looks behind the link to tell files apart. (A file replaced under the same real path would
  go on being served from the old instance until the last of its connections is closed.)
- A reader of several Parquet tables resolves the link once and reads all of them below it, or a swap in between mixes builds.
"""

import re
import shutil
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from orchestration.errors import PublishingFailed, UnusableInput
from orchestration.files import sync_file, sync_folder
from orchestration.publishing.builds import DATABASE_FILE, PARQUET_DIR, Build, build_dir, mark_published, served_build_id, swap
from orchestration.quality.gate import SEGMENTS_SCHEMA
from orchestration.quality.verdict import Fingerprint, fingerprint, read_verdict, require_passed_verdict_on
from orchestration.sql import PARQUET, quote_file, quote_identifier, quote_literal

PUBLISHED_SCHEMA = "published"
# Views that are computed for who asks about somebody, never whole, and what they read: in the serving database alone.
ON_DEMAND_SCHEMA = "on_demand"
# BI tools bundle 1.x clients, which cannot read the default files of DuckDB 2: this is the oldest version that both know.
STORAGE_VERSION = "v1.0.0"
STORAGE_VERSION_NUMBER = 64
# Above it, sorts spill into the build's folder: 4 million rows of 56 columns take the same time with it as without, and 0.7 GB less.
MEMORY_LIMIT = "2GB"
# A DuckDB file begins with a checksum of 8 bytes, the word DUCK and the storage version as 8 bytes, little-endian.
HEADER = struct.Struct("<8x4sQ")
SPILL_DIR = ".spill"


@dataclass(frozen=True)
class PublishedTable:
    """A relation of the working database, and as what it is published.

    Attributes:
        name: the table in the schema published, and the folder of its Parquet file.
        schema: where the relation is in the working database.
        relation: its name there; a table or a view.
        description: the comment on the table.
        column_descriptions: the comments on its columns.
        order_by: the columns by which rows are ordered in both forms: the key of the grain, or rows may come in any order.
        is_view: whether the relation is a view over others of these that have its schema, and is one in the serving database too. Its
            rows come in the order of what it reads.
        is_on_demand: whether it is served in the schema on_demand: a view of so many rows that nobody computes them all, or a table that
            such a view reads, with columns that no reader could count on. Not among the Parquet files, rows not counted.
    """

    name: str
    schema: str
    relation: str
    description: str = ""
    column_descriptions: Mapping[str, str] = field(default_factory=dict)
    order_by: tuple[str, ...] = ()
    is_view: bool = False
    is_on_demand: bool = False


def publish_build(home: Path, build_id: str, database: Path, tables: Sequence[PublishedTable]) -> Build:
    """Write, verify and swap in one build that passed its audit. Returns it as published.

    The caller holds the lock of the home. Until the last step readers see what they saw before, whatever happens.

    Raises GateClosed when this build may not be published, PublishingFailed when it could not be written or verified.
    """
    folder = build_dir(home, build_id)
    counts = write_build(database, folder, tables)
    fingerprints = read_verdict(folder).fingerprints
    audited = {table.name: fingerprints[table.relation] for table in tables if table.schema == SEGMENTS_SCHEMA}
    verify_build(folder, counts, audited)
    swap(home, build_id)
    return mark_published(home, build_id, counts)


def write_build(database: Path, build_dir: Path, tables: Sequence[PublishedTable]) -> dict[str, int]:
    """Write `segments.duckdb` and `parquet/` into the folder of an audited build; returns the rows of each published table.

    The verdict of this build is looked up and the audited tables are compared with it here, in the connection that then copies
    them: there is no way to write tables past the gate. The working database is opened read-only; this process may hold no
    read-write connection to it. Rows stream through DuckDB under MEMORY_LIMIT.

    Raises GateClosed, UnusableInput (this build is being served), PublishingFailed (a relation is missing or cannot be copied).
    """
    if served_build_id(build_dir.parent.parent) == build_dir.name:
        raise UnusableInput(f"The build {build_dir.name} is being served and is not written again: start a new one.")
    _clear(build_dir)
    target = build_dir / DATABASE_FILE
    counts: dict[str, int] = {}
    limits: dict[str, str | bool | int | float | list[str]] = {"temp_directory": str(build_dir / SPILL_DIR), "memory_limit": MEMORY_LIMIT}
    with duckdb.connect(":memory:", config=limits) as connection:
        # The clock of the zone must not decide what a view says: the same as in dbt's profile.
        connection.execute("set timezone = 'UTC'")
        # dbt's views name the database by the stem of its file.
        working = database.stem
        connection.execute(f"attach {quote_literal(str(database))} as {quote_identifier(working)} (read_only)")
        segment_tables = [table.relation for table in tables if table.schema == SEGMENTS_SCHEMA]
        require_passed_verdict_on(build_dir, connection, segment_tables, working)
        connection.execute(f"attach {quote_literal(str(target))} as serving (storage_version {quote_literal(STORAGE_VERSION)})")
        connection.execute(f"create schema serving.{PUBLISHED_SCHEMA}")
        connection.execute(f"create schema serving.{ON_DEMAND_SCHEMA}")
        # Views after what they read.
        served = {f"{table.schema}.{table.relation}": _served(table) for table in tables}
        for table in sorted(tables, key=lambda table: table.is_view):
            try:
                _create(connection, working, table, served)
                if not table.is_on_demand:
                    counts[table.name] = _write_parquet(connection, build_dir, table)
            except duckdb.Error as error:
                raise PublishingFailed(
                    f"{table.schema}.{table.relation} could not be published as {table.name}: {' '.join(str(error).split())}."
                ) from error
        connection.execute("checkpoint serving")
        connection.execute("detach serving")
    for path in sorted(build_dir.rglob("*")):
        if path.is_file():
            sync_file(path)
        else:
            sync_folder(path)
    sync_folder(build_dir)
    return counts


def verify_build(build_dir: Path, counts: Mapping[str, int], audited: Mapping[str, Fingerprint] | None = None) -> None:
    """Read back every value of the published tables, as a reader would; what is served on demand has no second form to compare with.

    Raises PublishingFailed when a table or row is missing or more than `counts` says, when the two forms differ, when the file is
    not one that 1.x clients can read, or when a table is not what `audited` says it was at the gate.
    """
    target = build_dir / DATABASE_FILE
    try:
        number = storage_version(target)
        if number != STORAGE_VERSION_NUMBER:
            raise PublishingFailed(f"{target} has the storage version {number}, which 1.x clients cannot read.")
        with duckdb.connect(str(target), read_only=True) as connection:
            query = "select table_name from information_schema.tables where table_schema = ?"
            present = connection.execute(query, [PUBLISHED_SCHEMA]).fetchall()
            if (names := {name for (name,) in present}) != set(counts):
                raise PublishingFailed(f"{target} holds the tables {sorted(names)} instead of {sorted(counts)}.")
            for table, rows in counts.items():
                found = fingerprint(connection, f"{PUBLISHED_SCHEMA}.{quote_identifier(table)}")
                path = str(parquet_file(build_dir, table))
                as_parquet = fingerprint(connection, f"read_parquet({quote_file(path)})")
                if found.rows != rows:
                    raise PublishingFailed(f"{target} holds {found.rows} rows of {table} instead of {rows}.")
                if as_parquet != found:
                    raise PublishingFailed(f"{path} does not hold what {target.name} holds: {as_parquet} instead of {found}.")
                if audited and found != audited.get(table, found):
                    raise PublishingFailed(f"{table} in {target} is not what was audited: {found} instead of {audited[table]}.")
    except (duckdb.Error, OSError, struct.error) as error:
        raise PublishingFailed(f"The build {build_dir.name} cannot be read back: {' '.join(str(error).split())}.") from error


def storage_version(database: Path) -> int:
    """The storage version number in the header of a DuckDB file (64 is v1.0.0)."""
    with database.open("rb") as file:
        magic, number = HEADER.unpack(file.read(HEADER.size))
    if magic != b"DUCK":
        raise PublishingFailed(f"{database} is not a DuckDB file.")
    return int(number)


def parquet_file(build_dir: Path, table: str) -> Path:
    """Where the Parquet form of a published table is."""
    return build_dir / PARQUET_DIR / table / f"{table}.parquet"


def _create(connection: duckdb.DuckDBPyConnection, working: str, table: PublishedTable, served: Mapping[str, str]) -> None:
    """One table or view in the new file, in one transaction with its comments."""
    target = f"serving.{_served(table)}"
    kind = "view" if table.is_view else "table"
    with connection.cursor() as cursor:
        cursor.begin()
        cursor.execute(_view(cursor, working, table, served) if table.is_view else _table(working, table))
        if table.description:
            cursor.execute(f"comment on {kind} {target} is {quote_literal(table.description)}")
        for column, description in table.column_descriptions.items():
            cursor.execute(f"comment on column {target}.{quote_identifier(column)} is {quote_literal(description)}")
        cursor.commit()


def _write_parquet(connection: duckdb.DuckDBPyConnection, build_dir: Path, table: PublishedTable) -> int:
    """The rows of a table of the new file as Parquet. Returns how many there are."""
    path = parquet_file(build_dir, table.name)
    path.parent.mkdir(parents=True)
    # The rows of a view are in no order that would have to be kept: 27 million take 10 instead of 16 CPU seconds without.
    connection.execute(f"set preserve_insertion_order = {not table.is_view}")
    connection.execute(f"copy (from serving.{_served(table)}) to {quote_literal(str(path))} ({PARQUET})")
    row = connection.execute(f"select count(*) from serving.{_served(table)}").fetchone()
    return int(row[0]) if row else 0


def _served(table: PublishedTable) -> str:
    """Where it is in the serving database, as SQL."""
    return f"{ON_DEMAND_SCHEMA if table.is_on_demand else PUBLISHED_SCHEMA}.{quote_identifier(table.name)}"


def _table(working: str, table: PublishedTable) -> str:
    source = ".".join(map(quote_identifier, (working, table.schema, table.relation)))
    order = f" order by {', '.join(map(quote_identifier, table.order_by))}" if table.order_by else ""
    return f"create table serving.{_served(table)} as select * from {source}{order}"


def _view(cursor: duckdb.DuckDBPyConnection, working: str, table: PublishedTable, served: Mapping[str, str]) -> str:
    """The view of the working database, over what is served. DuckDB tells it with schemas but without the database."""
    query = "select sql from duckdb_views() where database_name = ? and schema_name = ? and view_name = ?"
    row = cursor.execute(query, [working, table.schema, table.relation]).fetchone()
    if row is None:
        raise PublishingFailed(f"{table.schema}.{table.relation} is served as a view and is none: set materialized to view.")
    _, body = str(row[0]).split(" AS ", maxsplit=1)
    cursor.execute("use serving")  # what the view reads is found beside it, under whatever name the file is opened
    # What is quoted as text stays as it is.
    names = re.compile(rf"'(?:[^']|'')*'|\b{re.escape(table.schema)}\.\w+")
    return f"create view {_served(table)} as {names.sub(lambda found: served.get(found[0], found[0]), body)}"


def _clear(build_dir: Path) -> None:
    """Remove what an earlier attempt at the same build has left."""
    for name in (PARQUET_DIR, SPILL_DIR):
        shutil.rmtree(build_dir / name, ignore_errors=True)
    for name in (DATABASE_FILE, f"{DATABASE_FILE}.wal"):
        (build_dir / name).unlink(missing_ok=True)
