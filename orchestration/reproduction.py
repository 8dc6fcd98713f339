"""A day as it was known at some moment, worked out beside the current state and without touching it."""

import shutil
from dataclasses import replace
from pathlib import Path

from orchestration import working_database
from orchestration.ingest.source import Source
from orchestration.prediction.facts import LOG, forget_fits_after
from orchestration.settings import Settings
from orchestration.sql import quote_identifier, quote_literal

HISTORY = "history"
OPERATIONS = "operations"
PREDICTION = "prediction"
# What the roll-ups of the other database stand at says nothing about this one.
NOT_COPIED = ("roll_up_state",)


def begin_reproduction(settings: Settings, source: Source) -> None:
    """Make the working database for `settings.as_known_at`, with the history as it is recorded now; all else is built anew in it.

    Fits made by then are facts of then, whatever has been learned since. Those made later were not known.
    """
    database = settings.database(source.name)
    shutil.rmtree(database.parent, ignore_errors=True)
    tables = copy_records(replace(settings, as_known_at=None).database(source.name), database)
    if settings.as_known_at is not None and (PREDICTION, "fits") in tables:
        forget_fits_after(database, settings.as_known_at)


def end_reproduction(settings: Settings, source: Source) -> None:
    """Remove that database. One that was stopped is left to be looked at until the next reproduction."""
    shutil.rmtree(settings.database(source.name).parent)


def copy_records(current: Path, target: Path) -> list[tuple[str, str]]:
    """Copy what was recorded, what is known about builds and which models were fitted into a new database; nothing before the first night.

    Returns the schema and name of every table copied.
    """
    target.parent.mkdir(parents=True)
    if not current.is_file():
        return []
    # The new one is empty: what cannot be read is the current one.
    with working_database.connect(target, read_only=False) as connection, working_database.readable_errors(current):
        connection.execute(f"attach {quote_literal(str(current))} as recorded (read_only)")
        tables = connection.execute(
            """
            select schema_name, table_name from duckdb_tables()
            where
                database_name = 'recorded'
                and (
                    schema_name in (?, ?) and table_name not in (select unnest(?))
                    or schema_name = ? and table_name in (select unnest(?))
                )
            """,
            [HISTORY, OPERATIONS, list(NOT_COPIED), PREDICTION, list(LOG)],
        ).fetchall()
        for schema, table in tables:
            name = f"{quote_identifier(schema)}.{quote_identifier(table)}"
            connection.execute(f"create schema if not exists {quote_identifier(schema)}")
            connection.execute(f"create table {name} as select * from recorded.{name}")
        connection.execute("detach recorded")
    return tables
