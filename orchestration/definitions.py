"""The Dagster entry: `dagster dev -m orchestration.definitions` (or `make ui`)."""

import dagster as dg

from orchestration.automation.job import build_definitions
from orchestration.ingest.source import resolve_source
from orchestration.night import NightKeeper
from orchestration.progress import Progress
from orchestration.settings import Settings


@dg.definitions
def definitions() -> dg.Definitions:
    """The definitions of the home and the source that the environment names."""
    settings = Settings.from_environment()
    source = resolve_source(settings.source)
    return build_definitions(settings, source, NightKeeper(settings, source, holds_lock=False), Progress(enabled=False))
