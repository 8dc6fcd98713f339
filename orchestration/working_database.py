"""How the working database is opened, and tables that the orchestration itself keeps in it, beside those of dbt."""

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from orchestration.errors import UnusableInput
from orchestration.settings import memory_limit

# DuckDB has no error class of its own for either.
IN_USE = re.compile(r"Could not set lock on file.*?(?:\(PID (?P<process>\d+)\)|$)", re.DOTALL)
DAMAGED = re.compile(
    r"Corrupt database file|not a valid DuckDB database file|Could not read enough bytes|replaying WAL|Failed to deserialize"
)


def what_is_wrong(database: Path, message: str) -> str | None:
    """What a message of DuckDB about the working database means and what to do; None where it is about something else."""
    if in_use := IN_USE.search(message):
        process = f"process {in_use['process']}" if in_use["process"] else "another process"
        return f"The working database {database} is in use by {process}, such as a night: try again when that is over."
    if DAMAGED.search(message):
        return (
            f"The working database {database} is damaged: restore a copy of it, or remove the folder "
            f"{database.parent} and run a night, which builds everything again from what has landed, but for the recorded history "
            "(segment history, migrations): only `segments backfill` records the days before again."
        )
    return None


@contextmanager
def readable_errors(database: Path) -> Iterator[None]:
    """Raise UnusableInput, in one sentence, where the working database is in use or damaged: opened or read, here or attached."""
    try:
        yield
    except duckdb.Error as error:
        if problem := what_is_wrong(database, str(error)):
            raise UnusableInput(problem) from error
        raise


def connect(database: Path, *, read_only: bool = True) -> duckdb.DuckDBPyConnection:
    """Open the working database with as much memory as the night may take; what does not fit is spilled beside its file.

    The limit is `SEGMENTS_MEMORY_LIMIT`, which dbt's profile reads as well. DuckDB alone would take four fifths of the machine.
    Connections of one process to one file have to agree in it: whoever reads the file opens it here.

    Raises UnusableInput when it is in use by another process, or damaged.
    """
    with readable_errors(database):
        return duckdb.connect(str(database), read_only=read_only, config={"memory_limit": memory_limit()})


@contextmanager
def transaction_with(database: Path, schema: str, statements: Sequence[str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The working database in one transaction, all of it or nothing, with the tables of a schema made where they are missing.

    Args:
        database: its file, in a folder that is there.
        schema: the schema, made where it is missing.
        statements: what makes its tables; repeated each time, so they change nothing that is there.
    """
    with connect(database, read_only=False) as connection:
        connection.begin()
        connection.execute(f"create schema if not exists {schema}")
        for statement in statements:
            connection.execute(statement)
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows by the names of their columns, the same in all of them. `table` is its name as SQL.

    In one statement: one for each row took sixty times as long (471 check results).
    """
    if rows:
        columns = list(rows[0])
        values = ", ".join(f"unnest(${number})" for number in range(1, len(columns) + 1))
        connection.execute(f"insert into {table} ({', '.join(columns)}) select {values}", [[row[name] for row in rows] for name in columns])


def utc(moment: datetime.datetime) -> datetime.datetime:
    """A moment as the tables hold it: UTC without saying so. A moment that does not say its zone is taken for UTC."""
    return moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment
