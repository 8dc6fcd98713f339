"""The SQLAlchemy dialect through which Great Expectations reads a DuckDB file.

Loaded by SQLAlchemy itself, by name, when the first audit connects (`register`): importing this module costs
the import of duckdb_engine and does nothing else.
"""

from pathlib import Path
from typing import Any

import duckdb_engine
import sqlalchemy
from sqlalchemy.dialects import registry

from orchestration import working_database

NAME = "duckdb+audit"


class AuditDialect(duckdb_engine.Dialect):
    """DuckDB for an audit: read-only, and without transactions of its own.

    Great Expectations ends the transaction before it fetches, and DuckDB drops a pending result with its
    transaction: nearly every expectation then fails with "list index out of range". An audit only reads a file
    that nobody can write meanwhile, so a transaction protects nothing here and the calls do nothing.
    """

    supports_statement_cache = False

    def connect(self, *_: Any, database: str, **__: Any) -> Any:
        """Open `database` as everybody who reads the working database does.

        DuckDB refuses two connections of one process to one file that differ in configuration, and
        duckdb_engine's own connect adds a user agent; the gate holds a connection while it audits.
        """
        return duckdb_engine.ConnectionWrapper(working_database.connect(Path(database)))

    def do_begin(self, connection: Any) -> None:
        """No transaction, see the class."""

    def do_rollback(self, connection: Any) -> None:
        """No transaction, see the class."""

    def do_commit(self, connection: Any) -> None:
        """No transaction, see the class."""

    def get_columns(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """The names of a table's columns, from one short query.

        The inherited way is a query on emulated PostgreSQL catalogs that costs a small audit a fifth of its time.
        """
        sql = sqlalchemy.text(
            "select column_name, is_nullable from duckdb_columns() "
            "where database_name = current_database() and schema_name = :schema and table_name = :name order by column_index"
        )
        rows = connection.execute(sql, {"schema": schema, "name": table_name}).fetchall()
        return [{"name": name, "type": sqlalchemy.types.NullType(), "nullable": nullable, "default": None} for name, nullable in rows]

    def get_pk_constraint(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """No key: models declare theirs in dbt, the database does not know them."""
        return {"name": None, "constrained_columns": []}

    @classmethod
    def forget(cls) -> None:
        """Empty the caches that SQLAlchemy and duckdb_engine keep on their classes, keyed by dialect.

        They would keep DuckDB's objects alive past the interpreter's end, and its binding then reports them as leaked, in
        a hundred lines on the standard error of every process that audited.
        """
        for name in dir(cls):
            if clear := getattr(getattr(cls, name, None), "cache_clear", None):
                clear()


def register() -> None:
    """Make `duckdb+audit://` known to SQLAlchemy. Harmless when repeated."""
    registry.register(NAME.replace("+", "."), __name__, AuditDialect.__name__)
