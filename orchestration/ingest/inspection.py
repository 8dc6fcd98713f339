"""What a source brings, seen before anything is written: its tables, files and columns, and everything that makes it unusable."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet

from orchestration.errors import UnusableInput
from orchestration.ingest.contract import Contract, Table, read_contract
from orchestration.ingest.csv_file import CsvHeader, read_header
from orchestration.ingest.mapping import Query, read_queries
from orchestration.ingest.source import FILE_SUFFIXES, Source, find_files, nearest
from orchestration.sql import quote_file

# More files than these are counted, not named.
FILES_NAMED = 3


@dataclass(frozen=True)
class RawColumn:
    """A column as the source has it."""

    name: str
    duckdb_type: str
    contract_name: str | None
    """The column of the contract that it fills; None when it is not landed."""


@dataclass(frozen=True)
class Input:
    """One file, or one query of a mapping, that fills a table: it lands as one batch."""

    table: Table
    file: str
    """How people and batches call it: its path below the source's folder, or the name of the mapping's query."""
    path: Path
    columns: tuple[RawColumn, ...]
    rows: int | None = None
    """Rows, where the file tells them without being read."""
    csv_header: CsvHeader | None = None
    query: Query | None = None

    @property
    def where(self) -> str:
        """How errors call it: its path; of a mapping's query that runs for each file, with that file."""
        return str(self.path) if self.query is None else f"{self.path.parent}/{self.query.name}"

    @property
    def columns_missing(self) -> tuple[str, ...]:
        """Columns of the contract that it does not bring: they stay null."""
        brought = {column.contract_name for column in self.columns}
        return tuple(name for name in self.table.column_names if name not in brought)

    @property
    def columns_ignored(self) -> tuple[str, ...]:
        """Columns that the contract does not have: they are not landed."""
        return tuple(column.name for column in self.columns if column.contract_name is None)


@dataclass(frozen=True)
class ColumnDifferences:
    """What the columns of some files of a table lack or have beyond all files of the table."""

    files: tuple[str, ...]
    missing: tuple[str, ...]
    ignored: tuple[str, ...]

    def __str__(self) -> str:
        more = f" and {len(self.files) - FILES_NAMED} more" if len(self.files) > FILES_NAMED else ""
        return f"{', '.join(self.files[:FILES_NAMED])}{more}: {describe_columns(self.missing, self.ignored)}"


def describe_columns(missing: Collection[str], ignored: Collection[str]) -> str:
    """What is not as the contract has it, in words; an empty text when all is."""
    without = [f"without {', '.join(missing)}"] if missing else []
    unknown = [f"not in the contract, so not landed: {', '.join(ignored)}"] if ignored else []
    return "; ".join(without + unknown)


@dataclass(frozen=True)
class TableReport:
    """What a source brings for one raw table."""

    table: str
    is_required: bool
    inputs: tuple[Input, ...]
    """Its files, in the order in which they are landed; none when the table is absent, or when none of them can be used."""
    is_present: bool

    @property
    def columns_missing(self) -> tuple[str, ...]:
        """Columns of the contract that none of its files brings."""
        return _in_all([item.columns_missing for item in self.inputs])

    @property
    def columns_ignored(self) -> tuple[str, ...]:
        """Columns of all its files that the contract does not have."""
        return _in_all([item.columns_ignored for item in self.inputs])

    @property
    def column_differences(self) -> tuple[ColumnDifferences, ...]:
        """Files that are not like the others, those that lack or have the same together."""
        missing_in_all, ignored_in_all = frozenset(self.columns_missing), frozenset(self.columns_ignored)
        files: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
        for item in self.inputs:
            missing = tuple(name for name in item.columns_missing if name not in missing_in_all)
            ignored = tuple(name for name in item.columns_ignored if name not in ignored_in_all)
            if missing or ignored:
                files.setdefault((missing, ignored), []).append(item.file)
        return tuple(ColumnDifferences(tuple(names), missing, ignored) for (missing, ignored), names in files.items())


def _in_all(columns: Collection[tuple[str, ...]]) -> tuple[str, ...]:
    """The columns that every file names, in the order of the first."""
    first, *others = columns or [()]
    common = frozenset(first).intersection(*others)
    return tuple(name for name in first if name in common)


@dataclass(frozen=True)
class SourceReport:
    """What a source brings, and what is wrong with it."""

    source: Source
    tables: tuple[TableReport, ...]
    files_ignored: tuple[tuple[str, str], ...]
    """Files that no table takes, each with the reason."""
    problems: tuple[str, ...] = field(default=())
    """Everything that keeps the source from being landed, one sentence each."""

    @property
    def absent_tables(self) -> tuple[str, ...]:
        """Raw tables for which the source brings nothing."""
        return tuple(table.table for table in self.tables if not table.is_present)


def connect() -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB that reads in UTC, fetches nothing from anywhere and sees no Python variables."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false", "python_enable_replacements": "false"})
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    return connection


def inspect_source(source: Source, contract: Contract | None = None) -> SourceReport:
    """Look at every file of a source without reading it whole, and list everything that is wrong.

    Args:
        source: the source, as `resolve_source` found it.
        contract: the raw contract; the project's own when not given.

    Raises:
        UnusableInput: a mapping has an SQL file whose name is no table. Everything else is in the report's `problems`.
    """
    contract = contract or read_contract()
    found = find_files(source, contract)
    problems: list[str] = []
    tables = []
    with connect() as connection:
        for table in contract.tables.values():
            paths = found.tables[table.name]
            inputs: list[Input] = []
            for path in paths:
                try:
                    inputs.extend(_read_inputs(connection, source, table, path))
                except UnusableInput as error:
                    problems.append(str(error))
            if table.required and not paths:
                problems.append(_missing_table(source, table, found.ignored))
            tables.append(TableReport(table.name, table.required, tuple(inputs), is_present=bool(paths)))
    return SourceReport(source, tuple(tables), found.ignored, tuple(problems))


def _missing_table(source: Source, table: Table, ignored: tuple[tuple[str, str], ...]) -> str:
    if source.mapping is not None:
        return f"{source.mapping} has no {table.name}.sql, and {table.name} is required; write a SELECT that fills it"
    looks_like = nearest(table.name, [name.split(".")[0].lower() for name, _ in ignored])
    meant = [name for name, _ in ignored if name.split(".")[0].lower() == looks_like]
    hint = f" ({meant[0]} looks like it: rename it)" if meant else ""
    names = " or ".join(f"{table.name}{suffix}" for suffix in FILE_SUFFIXES[:2])
    return f"{source.folder} has no file for the required table {table.name}; add {names}{hint}"


def _read_inputs(connection: duckdb.DuckDBPyConnection, source: Source, table: Table, path: Path) -> list[Input]:
    """The inputs of one file: itself, or the queries of a mapping file."""
    if source.mapping is not None:
        inputs = []
        for query in read_queries(connection, source, path):
            item = Input(table, query.name, path, _match(path, table, query.columns), query=query)
            _refuse_unknown(item)
            inputs.append(item)
    elif path.name.endswith(".parquet"):
        described, rows = _describe_parquet(connection, path)
        inputs = [Input(table, path.relative_to(source.folder).as_posix(), path, _match(path, table, described), rows=rows)]
    else:
        header = read_header(path, frozenset(table.column_names))
        columns = _match(path, table, [(name, "VARCHAR") for name in header.names])
        inputs = [Input(table, path.relative_to(source.folder).as_posix(), path, columns, csv_header=header)]
    for found in inputs:
        _refuse_missing(found)
    return inputs


def _refuse_missing(found: Input) -> None:
    table = found.table
    for required in table.required_columns:
        if required in found.columns_missing:
            near = nearest(required, [name.lower() for name in found.columns_ignored])
            written = next((name for name in found.columns_ignored if name.lower() == near), None)
            fix = f"rename its column {written}" if written else "add it"
            raise UnusableInput(f"{found.where} has no column {required}, which {table.name} requires; {fix}")


def _describe_parquet(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[list[tuple[str, str]], int]:
    """Names and DuckDB types of the columns, and the number of rows, from the file's footer."""
    try:
        metadata = pyarrow.parquet.read_metadata(path)
        names = metadata.schema.to_arrow_schema().names
        described = connection.execute(f"describe select * from {parquet_relation(path)}").fetchall()
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise UnusableInput(f"{path} cannot be read as Parquet ({one_line(error)}); write it again") from error
    # DuckDB renames the second of two columns that differ in case only: the names as written show them.
    return list(zip(names, [row[1] for row in described], strict=True)), metadata.num_rows


def parquet_relation(path: Path) -> str:
    """SQL of the rows of one Parquet file; nothing is added from the names of its folders."""
    return f"read_parquet({quote_file(str(path))}, hive_partitioning = false, binary_as_string = true)"


def _match(path: Path, table: Table, described: list[tuple[str, str]]) -> tuple[RawColumn, ...]:
    """Match raw columns to the contract by name; upper and lower case and surrounding space do not count."""
    columns = []
    seen: set[str] = set()
    for position, (name, duckdb_type) in enumerate(described, start=1):
        folded = name.strip().lower()
        if not folded:
            columns.append(RawColumn(f"(column {position})", duckdb_type, None))
            continue
        if folded in seen:
            raise UnusableInput(f"{path} names the column {folded} twice; rename one of them")
        seen.add(folded)
        columns.append(RawColumn(name, duckdb_type, folded if folded in table.column_names else None))
    return tuple(columns)


def _refuse_unknown(found: Input) -> None:
    for name in found.columns_ignored:
        near = nearest(name, found.table.column_names)
        hint = f"did you mean {near}?" if near else "take it out of the SELECT"
        raise UnusableInput(f"{found.where}: {found.table.name} has no column {name}; {hint}")


def one_line(error: BaseException) -> str:
    """The first line of an engine's message, which is the one that says what happened."""
    return re.sub(r"\s+", " ", (str(error).strip().splitlines() or [type(error).__name__])[0])
