"""Lift as a Dagster asset, between the features and the segments: dbt makes the sums before it and reads the intervals after it."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from orchestration.ingest.source import Source, project_variables
from orchestration.lift.measuring import CELLS, LIFT, measure_lift
from orchestration.night import NightKeeper
from orchestration.prediction.assets import asset_keys
from orchestration.progress import Progress
from orchestration.settings import Settings
from orchestration.transform import dbt


def build_lift_asset(
    *,
    manifest: Mapping[str, Any],
    settings: Settings,
    source: Source,
    partitions: dg.PartitionsDefinition,
    keeper: NightKeeper,
    progress: Progress,
) -> dg.AssetsDefinition:
    """The asset that compares the sides of every recorded campaign."""
    (table,) = (one for one in manifest["sources"].values() if one["source_name"] == LIFT)
    variables = {**project_variables(), **dbt.variables(source)}

    @dg.asset(
        key=[LIFT, table["name"]],
        deps=asset_keys(manifest, [CELLS]),
        group_name=LIFT,
        description=table["description"],
        kinds={"python"},
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(),
    )
    def measurements() -> dg.MaterializeResult[None]:
        progress.stage("3/7 measure lift")
        with keeper.step():
            measured = measure_lift(settings.database(source.name), variables)
        progress.finish("1 campaign" if measured == 1 else f"{measured:,} campaigns")
        return dg.MaterializeResult(metadata={"dagster/row_count": measured})

    return measurements
