"""Tables that the orchestration itself keeps in the working database, beside those of dbt."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb


@contextmanager
def transaction_with(database: Path, schema: str, statements: Sequence[str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The working database in one transaction, all of it or nothing, with the tables of a schema made where they are missing.

    Args:
        database: its file, in a folder that is there.
        schema: the schema, made where it is missing.
        statements: what makes its tables; repeated each time, so they change nothing that is there.
    """
    with duckdb.connect(str(database)) as connection:
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
