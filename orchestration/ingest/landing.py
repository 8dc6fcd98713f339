"""Landing: every new file of a source becomes one immutable batch, in the types of the raw contract, whole or not at all.

`<landing>/<table>/batch=<id>/rows.parquet` holds the rows, `_manifest.json` beside it says where they came from. Batches are written
into `<landing>/_incoming` and moved into place by renaming, when every one of them is complete: a reader never sees half a batch,
and what a crash leaves in `_incoming` is removed by the next landing.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.errors import UnusableInput
from orchestration.files import sync_file, sync_folder, write_json
from orchestration.ingest.contract import Contract, Table, read_contract
from orchestration.ingest.csv_file import WHOLE_LINE, batch_schema, count_records, read_batches
from orchestration.ingest.inspection import ColumnDifferences, Input, SourceReport, connect, inspect_source, one_line, parquet_relation
from orchestration.ingest.reading import read_column
from orchestration.ingest.source import Source
from orchestration.sql import PARQUET, quote_file, quote_identifier, quote_literal

__all__ = ["Batch", "LandingReport", "SourceReport", "TableLanding", "damaged_batches", "inspect_source", "land", "read_batches_landed"]

ROWS_FILE = "rows.parquet"
MANIFEST_FILE = "_manifest.json"
INCOMING = "_incoming"
LOCK = "_landing.lock"
CONTRACT_BATCH = "contract"
ROW_GROUP = "row_group_size 122880"
# A file of any size streams through; without a limit DuckDB buffers 2.3 GB for 20 million lines and is no faster for it.
MEMORY_LIMIT = "2GB"

Progress = Callable[[str, int, int], None]
"""Told what is worked on, how many inputs are done, and how many there are."""


@dataclass(frozen=True)
class Batch:
    """What the manifest of a batch says."""

    table: str
    batch: str
    """Its id: the UTC time at which it was landed, and the start of its checksum."""
    source: str
    source_file: str
    sha256: str
    """Of the file's content; of a mapping's query and the files that it reads."""
    rows: int
    rows_unreadable: int
    """Rows with at least one value that could not be read."""
    loaded_at: datetime
    """Naive UTC; strictly increasing from batch to batch of one landing."""
    business_timezone: str
    """In which dates without a time were read."""
    columns_missing: tuple[str, ...]
    columns_ignored: tuple[str, ...]
    schema: dict[str, str]
    """Column name to DuckDB type of the rows."""
    each_file_sha256: str | None = None
    """Of the content of the file that a mapping's query was run for, when it runs for each. Manifests of earlier versions lack it."""

    def to_document(self) -> dict[str, Any]:
        """The manifest as JSON has it."""
        return {**dataclasses.asdict(self), "loaded_at": self.loaded_at.isoformat()}

    @classmethod
    def read(cls, manifest: Path) -> "Batch":
        """Read a manifest.

        Raises:
            UnusableInput: it is missing or is not what landing writes.
        """
        try:
            values = json.loads(manifest.read_text(encoding="utf-8"))
            values["loaded_at"] = datetime.fromisoformat(values["loaded_at"])
            for name in ("columns_missing", "columns_ignored"):
                values[name] = tuple(values[name])
            return cls(**values)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UnusableInput(f"{manifest} cannot be read ({one_line(error)}); restore this batch from a backup") from error


@dataclass(frozen=True)
class TableLanding:
    """What one landing did for one raw table."""

    table: str
    is_present: bool
    """Whether the source brings this table."""
    new_batches: tuple[Batch, ...]
    batches_already_landed: int
    """Inputs of the source whose content was landed before."""
    rows_in_landing: int
    """Rows of every batch, earlier ones included."""
    column_differences: tuple[ColumnDifferences, ...]
    """Files whose columns are not like those of the others, where a new batch is among them."""

    @property
    def rows_landed(self) -> int:
        """Rows of the new batches."""
        return sum(batch.rows for batch in self.new_batches)

    @property
    def rows_unreadable(self) -> int:
        """Rows of the new batches with at least one value that could not be read."""
        return sum(batch.rows_unreadable for batch in self.new_batches)


@dataclass(frozen=True)
class LandingReport:
    """What one landing did."""

    source: str
    landing_dir: Path
    loaded_at: datetime
    """Naive UTC, as asked for; the batches' own may be some microseconds later."""
    tables: tuple[TableLanding, ...]
    files_ignored: tuple[tuple[str, str], ...]

    @property
    def new_batches(self) -> tuple[Batch, ...]:
        """Every batch that this landing added."""
        return tuple(batch for table in self.tables for batch in table.new_batches)

    @property
    def rows_landed(self) -> int:
        """Rows that this landing added."""
        return sum(table.rows_landed for table in self.tables)

    @property
    def absent_tables(self) -> tuple[str, ...]:
        """Raw tables for which the source brings nothing."""
        return tuple(table.table for table in self.tables if not table.is_present)


def land(
    source: Source,
    landing_dir: Path,
    loaded_at: datetime,
    progress: Progress = lambda what, done, total: None,
    contract: Contract | None = None,
) -> LandingReport:
    """Bring in every input of a source that is not landed yet.

    Everything is checked before anything is written. Content that is landed already adds nothing, whatever its file is called now;
    changed content lands as a new batch, and so does a file that went back to what it was before its last change.

    Args:
        source: the source, as `resolve_source` found it.
        landing_dir: the landing of this source, made when it does not exist.
        loaded_at: the time of the landing, UTC when it has no time zone. Batches get it in order, one microsecond apart, and never
            earlier than what is landed already, so that the last loaded version of a key is well defined.
        progress: told about every input.
        contract: the raw contract; the project's own when not given.

    Raises:
        UnusableInput: the source cannot be landed; one sentence that names the file, the column and the fix. Nothing was landed.
    """
    contract = contract or read_contract()
    loaded_at = (loaded_at.astimezone(UTC) if loaded_at.tzinfo else loaded_at).replace(tzinfo=None)
    found = inspect_source(source, contract)
    if found.problems:
        more = f" (and {len(found.problems) - 1} more: `segments check` lists them)" if len(found.problems) > 1 else ""
        raise UnusableInput(found.problems[0] + more)
    landing_dir.mkdir(parents=True, exist_ok=True)
    with _alone(landing_dir), _empty_folder(landing_dir / INCOMING) as incoming, connect() as connection:
        connection.execute(f"set memory_limit = {quote_literal(MEMORY_LIMIT)}")
        connection.execute(f"set temp_directory = {quote_literal(str(incoming / 'spill'))}")
        return _Landing(source, landing_dir, incoming, connection, contract, progress, loaded_at).run(found)


def read_batches_landed(landing_dir: Path, table: str) -> list[Batch]:
    """Read the manifests of one table's batches, in the order in which they were landed; the empty `contract` batch is left out."""
    folders = [path for path in (landing_dir / table).glob("batch=*") if path.name != f"batch={CONTRACT_BATCH}"]
    return sorted((Batch.read(path / MANIFEST_FILE) for path in folders), key=lambda batch: batch.loaded_at)


def damaged_batches(landing_dir: Path, table: str) -> list[Path]:
    """Read every batch of one table whole; returns the files of those that cannot be read."""
    damaged = []
    with connect() as connection:
        for file in sorted((landing_dir / table).glob(f"batch=*/{ROWS_FILE}")):
            try:
                connection.execute(f"select bit_xor(hash(columns(*))) from {parquet_relation(file)}").fetchall()
            except duckdb.OutOfMemoryException:
                raise
            except duckdb.Error:
                damaged.append(file)
    return damaged


class _History:
    """What is landed of one table: which content, from which file, in which order."""

    def __init__(self, batches: list[Batch]) -> None:
        self.rows = 0
        self._first_landed: dict[str, datetime] = {}
        self._first_landed_of_file: dict[str, datetime] = {}
        self._last_timezone: dict[str, str] = {}
        self._contents_of_file: dict[str, list[str]] = {}
        self.last_loaded_at = datetime.min
        for batch in batches:
            self.add(batch)

    def add(self, batch: Batch) -> None:
        self.rows += batch.rows
        self.last_loaded_at = batch.loaded_at
        self._first_landed.setdefault(batch.each_file_sha256 or batch.sha256, batch.loaded_at)
        if batch.each_file_sha256 is None:
            self._first_landed_of_file.setdefault(batch.source_file, batch.loaded_at)
        self._last_timezone[batch.sha256] = batch.business_timezone
        self._contents_of_file.setdefault(batch.source_file, []).append(batch.sha256)

    def has(self, file: str, sha256: str, business_timezone: str) -> bool:
        """Whether there is nothing to land: the content is known, was read in this time zone, and is the last word of its file."""
        if self._last_timezone.get(sha256) != business_timezone:
            return False
        # A file that went to other content and back: the other content must not stay the last word. Known content under a name that
        # never had it is a renamed file: landing it again would undo what corrected it since.
        contents = self._contents_of_file.get(file, [])
        return sha256 not in contents or contents[-1] == sha256

    def first_landed(self, file: str, sha256: str, each_file_sha256: str | None) -> datetime:
        """When this content came first; later than anything when it never did.

        For a mapping's query that runs for each file, the content is that file's: another query or business timezone does not make it
        newer than what corrected it. Where manifests do not tell the content, the name of the file has to do.
        """
        if each_file_sha256 is None:
            return self._first_landed.get(sha256, datetime.max)
        return self._first_landed.get(each_file_sha256, self._first_landed_of_file.get(file, datetime.max))


class _Landing:
    """One run of `land`: what it needs at every step, and the state that steps share."""

    def __init__(
        self,
        source: Source,
        landing_dir: Path,
        incoming: Path,
        connection: duckdb.DuckDBPyConnection,
        contract: Contract,
        progress: Progress,
        loaded_at: datetime,
    ) -> None:
        self.source = source
        self.landing_dir = landing_dir
        self.incoming = incoming
        self.connection = connection
        self.contract = contract
        self.progress = progress
        self.loaded_at = loaded_at
        self.history = {table: _History(read_batches_landed(landing_dir, table)) for table in contract.tables}
        # A clock may go back; the order of loading may not.
        last = max(history.last_loaded_at for history in self.history.values())
        self.next_loaded_at = max(loaded_at, last + timedelta(microseconds=1))
        self.checksums: dict[Path, tuple[os.stat_result, str]] = {}

    def run(self, found: SourceReport) -> LandingReport:
        total = sum(len(table.inputs) for table in found.tables)
        done = 0
        tables = []
        for reported in found.tables:
            table = self.contract.tables[reported.table]
            history = self.history[table.name]
            self._stage_contract_batch(table)
            new: list[Batch] = []
            hashed = []
            for item in reported.inputs:
                self.progress(f"comparing {item.file}", done, total)
                each_file_sha256 = self._sha256(item.query.each_file) if item.query and item.query.each_file else None
                hashed.append((item, self._fingerprint(item), each_file_sha256))
            # What was landed before comes in its old order, so that corrections stay corrections.
            hashed.sort(key=lambda found: history.first_landed(found[0].file, found[1], found[2]))
            for item, sha256, each_file_sha256 in hashed:
                if not history.has(item.file, sha256, self.source.business_timezone):
                    self.progress(f"landing {item.file}", done, total)
                    batch = self._stage(item, sha256, each_file_sha256)
                    new.append(batch)
                    history.add(batch)
                done += 1
            tables.append(
                TableLanding(
                    table=table.name,
                    is_present=reported.is_present,
                    new_batches=tuple(new),
                    batches_already_landed=len(reported.inputs) - len(new),
                    rows_in_landing=history.rows,
                    column_differences=tuple(
                        difference
                        for difference in (reported.column_differences if new else ())
                        if not {batch.source_file for batch in new}.isdisjoint(difference.files)
                    ),
                )
            )
        self._refuse_changed_files()
        report = LandingReport(self.source.name, self.landing_dir, self.loaded_at, tuple(tables), found.files_ignored)
        self._move_into_place(report)
        self.progress("landed", total, total)
        return report

    def _fingerprint(self, item: Input) -> str:
        if item.query is not None:
            return item.query.fingerprint(self.source.business_timezone, self._sha256)
        return self._sha256(item.path)

    def _sha256(self, path: Path) -> str:
        if path not in self.checksums:
            try:
                with path.open("rb") as file:
                    # Before the content: a change while it is read shows as a difference afterwards.
                    seen = os.fstat(file.fileno())
                    self.checksums[path] = (seen, hashlib.file_digest(file, "sha256").hexdigest())
            except OSError as error:
                raise UnusableInput(f"{path} cannot be read: {error.strerror}") from error
        return self.checksums[path][1]

    def _refuse_changed_files(self) -> None:
        for path, (seen, _) in self.checksums.items():
            now = path.stat() if path.exists() else None
            if now is None or (now.st_size, now.st_mtime_ns, now.st_ino) != (seen.st_size, seen.st_mtime_ns, seen.st_ino):
                raise UnusableInput(f"{path} changed while it was being landed; run again when it is complete")

    def _stage(self, item: Input, sha256: str, each_file_sha256: str | None) -> Batch:
        loaded_at = self.next_loaded_at
        self.next_loaded_at += timedelta(microseconds=1)
        batch_id = f"{loaded_at:%Y%m%dT%H%M%S%f}Z-{sha256[:12]}"
        folder = self.incoming / item.table.name / f"batch={batch_id}"
        folder.mkdir(parents=True)
        rows = self._copy(item, loaded_at, folder / ROWS_FILE)
        schema, landed, unreadable = self._read_back(folder / ROWS_FILE)
        if landed != rows:
            raise RuntimeError(f"{item.where}: {rows} rows were read and {landed} written; please report this")
        batch = Batch(
            table=item.table.name,
            batch=batch_id,
            source=self.source.name,
            source_file=item.file,
            sha256=sha256,
            rows=landed,
            rows_unreadable=unreadable,
            loaded_at=loaded_at,
            business_timezone=self.source.business_timezone,
            columns_missing=item.columns_missing,
            columns_ignored=item.columns_ignored,
            schema=schema,
            each_file_sha256=each_file_sha256,
        )
        _complete(folder, batch)
        return batch

    def _copy(self, item: Input, loaded_at: datetime, target: Path) -> int:
        """Write the rows of one input; returns how many rows the input has."""
        try:
            if item.csv_header is not None:
                return self._copy_csv(item, loaded_at, target)
            copied = self._copy_relation(item, _relation(item), loaded_at, target)
            return copied if item.rows is None else item.rows
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            raise UnusableInput(f"{item.where} cannot be landed: {one_line(error)}") from error

    def _copy_csv(self, item: Input, loaded_at: datetime, target: Path) -> int:
        header = item.csv_header
        assert header is not None  # noqa: S101 - only called for CSV files
        # DuckDB takes the first line for the header, and an empty line of a single column for a row.
        if header.is_first_line and len(header.names) > 1 and (records := count_records(item.path, header.delimiter)) is not None:
            try:
                rows = self._copy_relation(item, _clean_csv(item), loaded_at, target)
            except (duckdb.InvalidInputException, duckdb.ConversionException):
                rows = -1  # something in it is not as it should be
            # DuckDB 2.0.0 can drop lines without a word (an open quote before the end of a file): it is believed when a count agrees.
            if rows == records - 1:
                return rows
        failure: list[UnusableInput] = []

        def batches() -> Iterator[pa.RecordBatch]:
            landed = {position: column.contract_name for position, column in enumerate(item.columns) if column.contract_name}
            try:
                yield from read_batches(item.path, header, landed)
            except UnusableInput as error:
                failure.append(error)
                raise

        reader = pa.RecordBatchReader.from_batches(batch_schema(len(header.names)), batches())
        self.connection.register("damaged_csv", reader)
        try:
            return self._copy_relation(item, "(select row_number() over () as source_row, * from damaged_csv)", loaded_at, target)
        except duckdb.Error:
            if failure:
                raise failure[0] from None
            raise
        finally:
            self.connection.unregister("damaged_csv")

    def _copy_relation(self, item: Input, relation: str, loaded_at: datetime, target: Path) -> int:
        select = _select(item, relation, loaded_at, self.source.business_timezone)
        (rows,) = self.connection.execute(f"copy ({select}) to {quote_literal(str(target))} ({PARQUET}, {ROW_GROUP})").fetchall()[0]
        return int(rows)

    def _read_back(self, rows_file: Path) -> tuple[dict[str, str], int, int]:
        """Schema, rows and rows with unreadable values of a written file."""
        written = f"read_parquet({quote_file(str(rows_file))}, hive_partitioning = false)"
        schema = {row[0]: row[1] for row in self.connection.execute(f"describe from {written}").fetchall()}
        rows, unreadable = self.connection.execute(f"select count(*), count(unreadable_columns) from {written}").fetchall()[0]
        return schema, rows, unreadable

    def _stage_contract_batch(self, table: Table) -> None:
        """A batch without rows, so that every table always has every column of the contract."""
        name = f"batch={CONTRACT_BATCH}"
        empty = Input(table, "", self.source.folder, columns=())
        moment = datetime(1970, 1, 1)
        relation = "(select null::bigint as source_row, null::varchar as unreadable, null::varchar as line where false)"
        select = _select(empty, relation, moment, self.source.business_timezone)
        schema = {row[0]: row[1] for row in self.connection.execute(f"describe {select}").fetchall()}
        manifest = self.landing_dir / table.name / name / MANIFEST_FILE
        if manifest.exists() and Batch.read(manifest).schema == schema:
            return
        folder = self.incoming / table.name / name
        folder.mkdir(parents=True)
        self._copy_relation(empty, relation, moment, folder / ROWS_FILE)
        zone = self.source.business_timezone
        _complete(folder, Batch(table.name, CONTRACT_BATCH, self.source.name, "", "", 0, 0, moment, zone, (), (), schema))

    def _move_into_place(self, report: LandingReport) -> None:
        """The moment at which batches begin to exist: one rename each, in the order of their loaded_at."""
        for table in report.tables:
            target = self.landing_dir / table.table
            target.mkdir(exist_ok=True)
            fresh_contract = self.incoming / table.table / f"batch={CONTRACT_BATCH}"
            if fresh_contract.exists():
                old = target / fresh_contract.name
                if old.exists():
                    old.replace(self.incoming / f"{table.table}.old")
                fresh_contract.replace(old)
            for batch in table.new_batches:
                name = f"batch={batch.batch}"
                (self.incoming / table.table / name).replace(target / name)
            sync_folder(target)
        sync_folder(self.landing_dir)


def _relation(item: Input) -> str:
    """SQL of an input's rows: `source_row`, then its columns as c0, c1, …, then `unreadable` and `line`, which only bad CSV lines fill."""
    names = ", ".join(f"{quote_identifier(column.name)} as c{i}" for i, column in enumerate(item.columns))
    nothing = "null::varchar as unreadable, null::varchar as line"
    if item.query is not None:
        return f"(select row_number() over () as source_row, {names}, {nothing} from (\n{item.query.sql}\n))"
    own_row_number = any(column.name.lower() == "file_row_number" for column in item.columns)
    row = "row_number() over ()" if own_row_number else "file_row_number + 1"
    return f"(select {row} as source_row, {names}, {nothing} from {parquet_relation(item.path)})"


def _clean_csv(item: Input) -> str:
    """SQL of a CSV file's rows; it fails when anything in the file is not as it should be."""
    header = item.csv_header
    assert header is not None  # noqa: S101 - only called for CSV files
    columns = ", ".join(f"c{i}: 'varchar'" for i in range(len(header.names)))
    # Not in parallel: a thread that starts inside a quoted value of many lines takes its lines for rows (DuckDB 2.0.0, tried).
    options = (
        f"parallel = false, auto_detect = false, header = true, delim = {quote_literal(header.delimiter)}, "
        "quote = '\"', escape = '\"', comment = '', "
        f"nullstr = '', strict_mode = true, null_padding = false, ignore_errors = false, columns = {{{columns}}}, "
        f"compression = '{'gzip' if item.path.name.endswith('.gz') else 'none'}', hive_partitioning = false"
    )
    read = f"read_csv({quote_file(str(item.path))}, {options})"
    return f"(select row_number() over () as source_row, *, null::varchar as unreadable, null::varchar as line from {read})"


def _select(item: Input, relation: str, loaded_at: datetime, business_timezone: str) -> str:
    """SQL that brings the rows of a relation into the columns of a batch."""
    position = {column.contract_name: i for i, column in enumerate(item.columns) if column.contract_name}
    readings, unreadable, landed = [], ["unreadable"], []
    for column in item.table.columns:
        name = quote_identifier(column.name)
        if column.name not in position:
            landed.append(f"cast(null as {column.duckdb_type}) as {name}")
            continue
        i = position[column.name]
        reading = read_column(f"c{i}", item.columns[i].duckdb_type, column, business_timezone)
        readings.append(f"{reading.value} as v{i}")
        landed.append(f"cast(v{i} as {column.duckdb_type}) as {name}")
        if reading.is_given is not None:
            unreadable.append(f"case when {reading.is_given} and v{i} is null then {quote_literal(column.name)} end")
    # Every value as text: JSON has no NaN, and a number of a file may be longer than one of JSON.
    raw_fields = ", ".join(f"{quote_identifier(column.name)} := cast(c{i} as varchar)" for i, column in enumerate(item.columns))
    raw_row = f"cast(to_json(struct_pack({raw_fields})) as varchar)" if raw_fields else "null"
    raw_line = f"cast(to_json(struct_pack({quote_identifier(WHOLE_LINE)} := line)) as varchar)"
    return f"""
with raw as (select * from {relation} as relation),

readings as (select {", ".join(["*", *readings])} from raw),

judged as (select *, nullif(concat_ws(',', {", ".join(unreadable)}), '') as unreadable_columns from readings)

select
    {", ".join(landed)},
    timestamp {quote_literal(loaded_at.isoformat(" "))} as loaded_at,
    {quote_literal(item.file)} as source_file,
    cast(source_row as bigint) as source_row,
    unreadable_columns,
    case when line is not null then {raw_line} when unreadable_columns is not null then {raw_row} end as row_as_it_came
from judged"""


def _complete(folder: Path, batch: Batch) -> None:
    """Write the manifest and make sure that the disk has all of the batch before it gets its name."""
    sync_file(folder / ROWS_FILE)
    write_json(folder / MANIFEST_FILE, batch.to_document())


@contextlib.contextmanager
def _alone(landing_dir: Path) -> Iterator[None]:
    """Hold the landing against a second one at the same time; the system lets go of it when the process ends, however it ends."""
    with (landing_dir / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnusableInput(f"{landing_dir} is being landed into by another run; wait for it to end") from None
        yield


@contextlib.contextmanager
def _empty_folder(folder: Path) -> Iterator[Path]:
    """A folder for unfinished work, emptied of what a crash may have left, and gone at the end."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
