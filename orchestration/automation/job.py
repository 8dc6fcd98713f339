"""The night as Dagster sees it: assets of every layer, the gate between them, one job, one schedule."""

import warnings
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from orchestration.backfill import FIRST_DAY
from orchestration.ingest.assets import build_landing_assets
from orchestration.ingest.source import Source, project_variables
from orchestration.lift.assets import build_lift_asset
from orchestration.night import NightKeeper
from orchestration.prediction.assets import FIT_JOB, FITS, build_prediction_assets
from orchestration.prediction.models import MODELS
from orchestration.prediction.scoring import score_states
from orchestration.progress import Progress
from orchestration.publishing.assets import POSTGRES_ASSET, SERVING_ASSET, build_postgres_asset, build_publish_asset
from orchestration.quality.assets import build_gate
from orchestration.report.assets import REPORT_ASSET, build_report_asset
from orchestration.settings import POSTGRES, Settings
from orchestration.transform import dbt
from orchestration.transform.assets import build_dbt_assets
from orchestration.transform.manifest import published_tables, segment_tables

NIGHTLY_JOB = "nightly"
RECORD_JOB = "record_day"
PUBLISH_JOB = "publish"
OPERATIONS = "operations"

# Late enough for yesterday's files to have arrived, early enough for the morning.
NIGHTLY_HOUR = 3
# After the night: it has made the fits of its day already, and what is left is what it could not.
FIT_SCHEDULES = {"month": "0 6 1 * *", "week": "0 6 * * 1", "day": "0 6 * * *"}


def night_partitions(source: Source) -> dg.DailyPartitionsDefinition:
    """One partition per as_of_date, in the business timezone; today's exists as soon as its midnight has passed."""
    return dg.DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone=source.business_timezone, end_offset=1)


def build_definitions(settings: Settings, source: Source, keeper: NightKeeper, progress: Progress) -> dg.Definitions:
    """Every asset, check, job and schedule of one installation and one source."""
    # Backfill policies are marked beta; the pinned version has what is used here.
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    manifest = dbt.parse(settings, source)
    partitions = night_partitions(source)
    segments = segment_tables(manifest)

    landing = build_landing_assets(
        manifest=manifest, settings=settings, source=source, partitions=partitions, keeper=keeper, progress=progress
    )
    steps = build_dbt_assets(manifest=manifest, settings=settings, source=source, partitions=partitions, keeper=keeper, progress=progress)
    predictions = build_prediction_assets(
        models=MODELS,
        score=score_states,
        manifest=manifest,
        settings=settings,
        source=source,
        partitions=partitions,
        keeper=keeper,
        progress=progress,
    )
    lift = build_lift_asset(manifest=manifest, settings=settings, source=source, partitions=partitions, keeper=keeper, progress=progress)
    gate = build_gate(settings, source, segments, keeper, progress)
    publish = build_publish_asset(
        tables=published_tables(manifest),
        segment_tables=segments,
        settings=settings,
        source=source,
        partitions=partitions,
        keeper=keeper,
        progress=progress,
    )

    report = build_report_asset(settings=settings, source=source, partitions=partitions, keeper=keeper, progress=progress)
    served = [publish, report]
    served_keys = [SERVING_ASSET, REPORT_ASSET]
    if settings.publish == POSTGRES:
        served.append(build_postgres_asset(settings=settings, partitions=partitions, keeper=keeper, progress=progress))
        served_keys.append(POSTGRES_ASSET)
    for_readers = dg.AssetSelection.assets(*served_keys)

    nightly = dg.define_asset_job(
        NIGHTLY_JOB,
        selection=dg.AssetSelection.all(),
        description="One whole night: land, build, audit, publish, report. The partition is the day whose opening state is described.",
    )
    record_day = dg.define_asset_job(
        RECORD_JOB,
        selection=dg.AssetSelection.all() - for_readers,
        description="One day of the past into the history: all but publishing, what readers see stays. Backfills launch it day by day; "
        "the next night publishes the history they leave.",
    )
    publish_again = dg.define_asset_job(
        PUBLISH_JOB,
        selection=for_readers,
        description="Publish the audited build of the working database again, after a failure of publishing itself.",
    )
    fit_models = dg.define_asset_job(
        FIT_JOB,
        selection=dg.AssetSelection.key_prefixes([FITS]),
        description="The fits of a day, from the working tables that its night left: what is missing, and once more what failed.",
    )
    schedules = [
        dg.build_schedule_from_partitioned_job(nightly, hour_of_day=NIGHTLY_HOUR),
        fit_schedule(source),
    ]
    return dg.Definitions(
        assets=[landing, *steps, *predictions, lift, *served, *operations_specs(manifest)],
        asset_checks=[gate],
        jobs=[nightly, record_day, publish_again, fit_models],
        schedules=schedules,
        # Two steps that write one DuckDB file at the same time would collide.
        executor=dg.in_process_executor,
    )


def fit_schedule(source: Source) -> dg.ScheduleDefinition:
    """The calendar of fits, as a schedule of its own in the business timezone."""
    every = str({**project_variables(), **source.vars}["fit_every"])

    def day_of(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        """The day on which it runs."""
        local = context.scheduled_execution_time.astimezone(ZoneInfo(source.business_timezone))
        return dg.RunRequest(partition_key=local.date().isoformat())

    return dg.ScheduleDefinition(
        name=f"{FIT_JOB}_schedule",
        job_name=FIT_JOB,
        cron_schedule=FIT_SCHEDULES[every],
        execution_timezone=source.business_timezone,
        execution_fn=day_of,
    )


def operations_specs(manifest: Mapping[str, Any]) -> list[dg.AssetSpec]:
    """What the night writes about itself (builds, row counts, check results), so that the lineage shows where it comes from."""
    return [
        dg.AssetSpec([OPERATIONS, table["name"]], group_name=OPERATIONS, description=table["description"], kinds={"duckdb"})
        for table in manifest["sources"].values()
        if table["source_name"] == OPERATIONS
    ]
