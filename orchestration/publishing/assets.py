"""Publishing as a Dagster asset: the last step of a night, and a job of its own for when only publishing failed."""

from datetime import UTC, datetime

import dagster as dg

from orchestration.ingest.source import Source
from orchestration.night import NightKeeper
from orchestration.progress import Progress
from orchestration.publishing import builds
from orchestration.publishing.serving import PublishedTable, publish_build
from orchestration.quality import operations
from orchestration.quality.verdict import require_passed_verdict
from orchestration.settings import Settings
from orchestration.transform.manifest import ManifestTable

SERVING_ASSET = dg.AssetKey(["serving", "segments"])


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


def published(table: ManifestTable) -> PublishedTable:
    """How a model is published: under its own name, rows in the order of its grain."""
    return PublishedTable(
        name=table.name,
        schema=table.schema,
        relation=table.name,
        description=table.description,
        column_descriptions=table.columns,
        order_by=table.grain,
    )
