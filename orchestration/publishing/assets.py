"""Publishing as Dagster assets: the last steps of a night, and a job of their own for when only publishing failed."""

from datetime import UTC, datetime

import dagster as dg

from orchestration.ingest.source import Source
from orchestration.night import NightKeeper
from orchestration.progress import Progress
from orchestration.publishing import builds
from orchestration.publishing.postgres import publish_to_postgres
from orchestration.publishing.serving import PublishedTable, publish_build
from orchestration.quality import operations
from orchestration.quality.verdict import require_passed_verdict
from orchestration.settings import Settings
from orchestration.transform.manifest import ManifestTable

SERVING_ASSET = dg.AssetKey(["serving", "segments"])
POSTGRES_ASSET = dg.AssetKey(["serving", "postgres"])


def build_publish_asset(
    *,
    tables: list[ManifestTable],
    segment_tables: list[str],
    settings: Settings,
    source: Source,
    partitions: dg.PartitionsDefinition,
    keeper: NightKeeper,
    progress: Progress,
) -> dg.AssetsDefinition:
    """The asset that swaps in the audited build; it looks up the verdict of that very build, however it was started."""

    @dg.asset(
        key=SERVING_ASSET,
        deps=[dg.AssetKey([table.schema, table.model]) for table in tables],
        group_name="serving",
        kinds={"duckdb", "parquet"},
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(),
        description="What readers see: `serving/segments.duckdb` and `serving/parquet/`, all of one build, swapped in at one instant.",
    )
    def publish(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        progress.stage("7/7 publish")
        database = settings.database(source.name)
        with keeper.step(fails=(builds.BUILDING, builds.RECORDED)):
            require_passed_verdict(keeper.build_dir, database, segment_tables)
            # The published table of builds says when this one ended, so it is entered just before the copy.
            operations.record_build_finished(database, keeper.build_id, builds.PUBLISHED, datetime.now(UTC))
            build = publish_build(settings.home, keeper.build_id, database, [published(table) for table in tables])
            builds.prune(settings.home, settings.builds_kept)
        progress.finish(f"build {build.id}")
        return dg.MaterializeResult(
            metadata={
                "build": build.id,
                "tables": len(build.rows),
                "bytes": build.bytes or 0,
                "serving": dg.MetadataValue.path(settings.serving / builds.DATABASE_FILE),
                "rows": dg.MetadataValue.md("\n".join(f"- {name}: {rows:,}" for name, rows in build.rows.items())),
            }
        )

    return publish


def build_postgres_asset(
    *, settings: Settings, partitions: dg.PartitionsDefinition, keeper: NightKeeper, progress: Progress
) -> dg.AssetsDefinition:
    """The asset that brings the build just published into PostgreSQL as well. Its failure is its own: the build stays published."""

    @dg.asset(
        key=POSTGRES_ASSET,
        deps=[SERVING_ASSET],
        group_name="serving",
        kinds={"postgres"},
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(),
        description="The same tables in PostgreSQL, schema `published`: replaced in one transaction, all of one build.",
    )
    def postgres(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        progress.stage("PostgreSQL")
        with keeper.step(fails=()):
            build_id = keeper.build_id
            publish_to_postgres(settings.home, build_id)
        progress.finish(f"build {build_id}")
        return dg.MaterializeResult(metadata={"build": build_id})

    return postgres


def published(table: ManifestTable) -> PublishedTable:
    """How a model is published: under its own name, rows in the order of its grain."""
    return PublishedTable(
        name=table.name,
        schema=table.schema,
        relation=table.name,
        description=table.description,
        column_descriptions=table.columns,
        order_by=table.grain,
        is_view=table.is_served_as_view,
        is_on_demand=table.is_served_on_demand,
    )
