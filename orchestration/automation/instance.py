"""Dagster's own home, below the home of the installation: run history, no telemetry, no pop-ups."""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance
    from sqlalchemy.engine import Engine

# Nights of one home never overlap: the home is locked, and DuckDB lets one process write.
DAGSTER_YAML = """\
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1
"""


def prepare_instance(settings: Settings) -> Path:
    """Create Dagster's folder with its settings and point this process at it."""
    folder = settings.dagster_dir
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text(DAGSTER_YAML, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(folder)
    return folder


def open_instance(settings: Settings) -> "DagsterInstance":
    """The Dagster instance of this home: what `segments nightly` runs is what `make ui` shows."""
    from dagster import DagsterInstance
    from dagster._core.storage.event_log.sqlite import sqlite_event_log

    prepare_instance(settings)
    sqlite_event_log.create_engine = _event_log_engine  # type: ignore[attr-defined, assignment]
    return DagsterInstance.get()


@cache
def _engine(connection_string: str) -> "Engine":
    """One engine and one connection for each file of the event log, for as long as the process lives."""
    import sqlalchemy
    from sqlalchemy import event

    engine = sqlalchemy.create_engine(connection_string, poolclass=sqlalchemy.SingletonThreadPool)
    event.listen(engine, "connect", _without_waiting_for_the_disk)
    # Dagster disposes of an engine after each use; this one is used again.
    engine.dispose = lambda close=True: None  # type: ignore[method-assign]
    return engine


def _event_log_engine(connection_string: str, **_: Any) -> "Engine":
    """In place of the engine that Dagster's SQLite event log makes anew for each of its statements.

    A night writes some thousands of small events. With a new engine for each, which connects and compiles every statement again, they
    took a fifth of a small night (measured: 22 % of all samples, 9 % so).
    """
    return _engine(connection_string)


def _without_waiting_for_the_disk(connection: Any, _record: Any) -> None:
    """Let Dagster's event log leave the flushing of its files to the operating system.

    Each event is a transaction of its own: with a flush for each of them they took longer than the SQL. What a power cut could lose
    is history for the UI; what was built, checked and served is recorded elsewhere.
    """
    connection.execute("pragma synchronous = off")
