"""Dagster's own home, below the home of the installation: run history, no telemetry, no pop-ups."""

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

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
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    prepare_instance(settings)
    if not event.contains(Engine, "connect", _without_waiting_for_the_disk):
        event.listen(Engine, "connect", _without_waiting_for_the_disk)
    return DagsterInstance.get()


def _without_waiting_for_the_disk(connection: Any, _record: Any) -> None:
    """Let Dagster's event log leave the flushing of its files to the operating system.

    A night writes some thousands of small events, each a transaction of its own: with a flush for each of them they took longer
    than the SQL. What a power cut could lose is history for the UI; what was built, checked and served is recorded elsewhere.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("pragma synchronous = off")
