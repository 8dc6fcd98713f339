"""Writing what readers get: one DuckDB file and the same tables as Parquet, whole and verified before anybody sees them.

What was tried about readers (DuckDB 2.0, tests/python/faults/test_readers_during_swaps.py and test_publishing_serving.py):

- A build is a file of its own that nobody writes after the swap, so readers and publishing never wait for each other's locks.
- A connection opened before the swap goes on reading the build it opened; a connection of a process that holds none sees the
  new build at once.
- DuckDB keeps one instance per path and process: a *new* connection to `serving/segments.duckdb` in a process that still holds
  an old one gets the old build, until the last of them is closed. A long-lived reader closes its connection between questions,
  or opens the file behind the link (`Path(...).resolve()`), whose path differs from build to build.
- A reader of several Parquet tables resolves the link once and reads all of them below it, or a swap in between mixes builds.
"""

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
from orchestration.quality.verdict import require_passed_verdict_on

PUBLISHED_SCHEMA = "published"
# BI tools bundle 1.x clients, which cannot read the default files of DuckDB 2: this is the oldest version that both know.
STORAGE_VERSION = "v1.0.0"
STORAGE_VERSION_NUMBER = 64
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
    """

    name: str
    schema: str
    relation: str
    description: str = ""
    column_descriptions: Mapping[str, str] = field(default_factory=dict)
    order_by: tuple[str, ...] = ()


def publish_build(home: Path, build_id: str, database: Path, tables: Sequence[PublishedTable]) -> Build:
    """Write, verify and swap in one build that passed its audit. Returns it as published.

    The caller holds the lock of the home. Until the last step readers see what they saw before, whatever happens.

    Raises GateClosed when this build may not be published, PublishingFailed when it could not be written or verified.
    """
    folder = build_dir(home, build_id)
    counts = write_build(database, folder, tables)
    verify_build(folder, counts)
    swap(home, build_id)
    return mark_published(home, build_id, counts)


def write_build(database: Path, build_dir: Path, tables: Sequence[PublishedTable]) -> dict[str, int]:
    """Write `segments.duckdb` and `parquet/` into the folder of an audited build; returns the rows of each table.

    The verdict of this build is looked up and the audited tables are compared with it here, in the connection that then copies
    them: there is no way to write tables past the gate. The working database is opened read-only; this process may hold no
    read-write connection to it. Rows stream through DuckDB: memory follows its limit, larger sorts spill into the build's folder.

    Raises GateClosed, UnusableInput (this build is being served), PublishingFailed (a relation is missing or cannot be copied).
    """
    if served_build_id(build_dir.parent.parent) == build_dir.name:
        raise UnusableInput(f"The build {build_dir.name} is being served and is not written again: start a new one.")
    _clear(build_dir)
    target = build_dir / DATABASE_FILE
    counts: dict[str, int] = {}
    with duckdb.connect(":memory:", config={"temp_directory": str(build_dir / SPILL_DIR)}) as connection:
        # The clock of the zone must not decide what a view says: the same as in dbt's profile.
        connection.execute("set timezone = 'UTC'")
        # dbt's views name the database by the stem of its file.
        working = database.stem
        connection.execute(f"attach {_literal(str(database))} as {_identifier(working)} (read_only)")
        segment_tables = [table.relation for table in tables if table.schema == SEGMENTS_SCHEMA]
        require_passed_verdict_on(build_dir, connection, segment_tables, working)
        connection.execute(f"attach {_literal(str(target))} as serving (storage_version {_literal(STORAGE_VERSION)})")
        connection.execute(f"create schema serving.{PUBLISHED_SCHEMA}")
        for table in tables:
            try:
                counts[table.name] = _copy(connection, working, build_dir, table)
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


def verify_build(build_dir: Path, counts: Mapping[str, int]) -> None:
    """Read back what was written as a reader would. Raises PublishingFailed when anything differs from `counts`."""
    target = build_dir / DATABASE_FILE
    try:
        found = storage_version(target)
        if found != STORAGE_VERSION_NUMBER:
            raise PublishingFailed(f"{target} has the storage version {found}, which 1.x clients cannot read.")
        with duckdb.connect(str(target), read_only=True) as connection:
            present = dict(
                connection.execute("select table_name, 0 from duckdb_tables() where schema_name = ?", [PUBLISHED_SCHEMA]).fetchall()
            )
            for table in present:
                row = connection.execute(f"select count(*) from {PUBLISHED_SCHEMA}.{_identifier(table)}").fetchone()
                present[table] = row[0] if row else 0
            if present != dict(counts):
                raise PublishingFailed(f"{target} does not hold what was copied: {present} instead of {dict(counts)}.")
            for table, rows in counts.items():
                path = str(parquet_file(build_dir, table))
                row = connection.execute("select sum(num_rows) from parquet_file_metadata(?)", [path]).fetchone()
                if row is None or row[0] != rows:
                    raise PublishingFailed(f"{path} holds {row and row[0]} rows instead of {rows}.")
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


def _copy(connection: duckdb.DuckDBPyConnection, working: str, build_dir: Path, table: PublishedTable) -> int:
    """One table into the new file, in one transaction with its comments, then from there into Parquet. Returns its rows."""
    source = ".".join(map(_identifier, (working, table.schema, table.relation)))
    target = f"serving.{PUBLISHED_SCHEMA}.{_identifier(table.name)}"
    order = f" order by {', '.join(map(_identifier, table.order_by))}" if table.order_by else ""
    with connection.cursor() as cursor:
        cursor.begin()
        cursor.execute(f"create table {target} as select * from {source}{order}")
        if table.description:
            cursor.execute(f"comment on table {target} is {_literal(table.description)}")
        for column, description in table.column_descriptions.items():
            cursor.execute(f"comment on column {target}.{_identifier(column)} is {_literal(description)}")
        cursor.commit()
    path = parquet_file(build_dir, table.name)
    path.parent.mkdir(parents=True)
    connection.execute(f"copy {target} to {_literal(str(path))} (format parquet, compression zstd)")
    row = connection.execute(f"select count(*) from {target}").fetchone()
    return int(row[0]) if row else 0


def _clear(build_dir: Path) -> None:
    """Remove what an earlier attempt at the same build has left."""
    for name in (PARQUET_DIR, SPILL_DIR):
        shutil.rmtree(build_dir / name, ignore_errors=True)
    for name in (DATABASE_FILE, f"{DATABASE_FILE}.wal"):
        (build_dir / name).unlink(missing_ok=True)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
