"""How the working database is opened, and tables that the orchestration itself keeps in it, beside those of dbt."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

MEMORY_LIMIT = "SEGMENTS_MEMORY_LIMIT"
DEFAULT_MEMORY_LIMIT = "6GB"


def connect(database: Path, *, read_only: bool = True) -> duckdb.DuckDBPyConnection:
    """Open the working database with as much memory as the night may take; what does not fit is spilled beside its file.

    The limit is `SEGMENTS_MEMORY_LIMIT`, which dbt's profile reads as well. DuckDB alone would take four fifths of the machine.
    Connections of one process to one file have to agree in it: whoever reads the file opens it here.
    """
    limit = os.environ.get(MEMORY_LIMIT, DEFAULT_MEMORY_LIMIT)
    return duckdb.connect(str(database), read_only=read_only, config={"memory_limit": limit})


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
