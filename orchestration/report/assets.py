"""The page as a Dagster asset: after publishing, and never in its way."""

from collections.abc import Iterator

import dagster as dg

from orchestration.ingest.source import Source
from orchestration.night import NightKeeper
from orchestration.progress import Progress
from orchestration.publishing.assets import SERVING_ASSET
from orchestration.report.files import page_file, report_options, try_report
from orchestration.settings import Settings

REPORT_ASSET = dg.AssetKey(["serving", "explorer"])
PAGE_CHECK = "page_was_made"


def build_report_asset(
    *, settings: Settings, source: Source, partitions: dg.PartitionsDefinition, keeper: NightKeeper, progress: Progress
) -> dg.AssetsDefinition:
    """The asset that makes the page of the build just published. A page that cannot be made is a warning: the build stays published."""

    @dg.asset(
        key=REPORT_ASSET,
        deps=[SERVING_ASSET],
        check_specs=[dg.AssetCheckSpec(PAGE_CHECK, asset=REPORT_ASSET, description="Whether the build has its page; a warning where not.")],
        group_name="serving",
        kinds={"html"},
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(),
        description="The segment explorer: one page for people, `reports/latest/index.html`, made from the published tables of the build.",
    )
    def explorer(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        progress.stage("page")
        with keeper.step(fails=()):
            build_id = keeper.build_id
            problem = try_report(settings.home, build_id, report_options(source))
        path = page_file(settings.home, build_id)
        progress.finish(f"not made: {problem}" if problem else f"{path.stat().st_size / 1e6:.1f} MB")
        yield dg.MaterializeResult(
            metadata={"page": dg.MetadataValue.path(path), **({"problem": problem} if problem else {})},
            check_results=[
                dg.AssetCheckResult(
                    passed=problem is None,
                    asset_key=REPORT_ASSET,
                    check_name=PAGE_CHECK,
                    severity=dg.AssetCheckSeverity.WARN,
                    description=problem or "The page was made.",
                )
            ],
        )

    return explorer
