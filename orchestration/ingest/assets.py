"""Landing as a Dagster asset: one key per raw table, where the dbt sources expect them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from orchestration.ingest.landing import land
from orchestration.ingest.source import Source
from orchestration.night import NightKeeper
from orchestration.progress import Progress
from orchestration.settings import Settings

LANDING_SOURCE = "landing"


def build_landing_assets(
    *,
    manifest: Mapping[str, Any],
    settings: Settings,
    source: Source,
    partitions: dg.PartitionsDefinition,
    keeper: NightKeeper,
    progress: Progress,
) -> dg.AssetsDefinition:
    """The asset that lands whatever the source has that was not landed before, and opens the night's build."""
    specs = [
        dg.AssetSpec(
            [LANDING_SOURCE, table["name"]],
            group_name=LANDING_SOURCE,
            description=table["description"],
            kinds={"parquet"},
            partitions_def=partitions,
        )
        for table in manifest["sources"].values()
        if table["source_name"] == LANDING_SOURCE
    ]

    @dg.multi_asset(specs=specs, name="land", backfill_policy=dg.BackfillPolicy.multi_run())
    def land_source(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        as_of_date = date.fromisoformat(context.partition_key)
        progress.stage("1/7 land raw tables")
        with keeper.step():
            keeper.require_sound_files()
            report = keeper.land(lambda: land(source, settings.landing(source.name), datetime.now(UTC), progress.step))
            keeper.open_build(as_of_date)
        progress.finish(f"{report.rows_landed:,} new rows")
        for table in report.tables:
            for difference in table.column_differences:
                progress.note(f"{table.table}: {difference}")
            yield dg.MaterializeResult(
                asset_key=[LANDING_SOURCE, table.table],
                metadata={
                    "dagster/row_count": table.rows_in_landing,
                    "rows landed now": table.rows_landed,
                    "rows with unreadable values": table.rows_unreadable,
                    "new batches": len(table.new_batches),
                    "inputs landed before": table.batches_already_landed,
                },
            )

    return land_source
