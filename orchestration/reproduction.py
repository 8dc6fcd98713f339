"""A day as it was known at some moment, worked out beside the current state and without touching it."""

import shutil
from dataclasses import replace
from pathlib import Path

import duckdb

from orchestration.ingest.source import Source
from orchestration.settings import Settings
from orchestration.sql import quote_identifier, quote_literal

HISTORY = "history"
OPERATIONS = "operations"
# What the roll-ups of the other database stand at says nothing about this one.
NOT_COPIED = ("roll_up_state",)


def begin_reproduction(settings: Settings, source: Source) -> None:
    """Make the working database for `settings.as_known_at`, with the history as it is recorded now; all else is built anew in it."""
    database = settings.database(source.name)
    shutil.rmtree(database.parent, ignore_errors=True)
    copy_history(replace(settings, as_known_at=None).database(source.name), database)


def end_reproduction(settings: Settings, source: Source) -> None:
    """Remove that database. One that was stopped is left to be looked at until the next reproduction."""
    shutil.rmtree(settings.database(source.name).parent)


def copy_history(current: Path, target: Path) -> None:
    """Copy what was recorded, and what is known about builds, into a new database; nothing where there was no night yet."""
    target.parent.mkdir(parents=True)
    if not current.is_file():
        return
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"attach {quote_literal(str(current))} as recorded (read_only)")
        tables = connection.execute(
            """
            select schema_name, table_name from duckdb_tables()
            where database_name = 'recorded' and schema_name in (?, ?) and table_name not in (select unnest(?))
            """,
            [HISTORY, OPERATIONS, list(NOT_COPIED)],
        ).fetchall()
        for schema, table in tables:
            name = f"{quote_identifier(schema)}.{quote_identifier(table)}"
            connection.execute(f"create schema if not exists {quote_identifier(schema)}")
            connection.execute(f"create table {name} as select * from recorded.{name}")
        connection.execute("detach recorded")
