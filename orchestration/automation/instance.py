"""Dagster's own home, below the home of the installation: run history, no telemetry, no pop-ups."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

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

    prepare_instance(settings)
    return DagsterInstance.get()
