"""The gate as Dagster asset checks: blocking, one per segment output, between writing and publishing."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg

from orchestration.ingest.source import Source
from orchestration.night import NightKeeper
from orchestration.progress import Progress
from orchestration.quality.gate import SEGMENTS_SCHEMA, CheckResult
from orchestration.quality.verdict import audit_build
from orchestration.settings import Settings
from orchestration.transform.dbt import variables

CHECK_NAME = "quality_suite"
SUITES_DIR = Path(__file__).parent / "suites"


def build_gate(
    settings: Settings, source: Source, segment_tables: list[str], keeper: NightKeeper, progress: Progress
) -> dg.AssetChecksDefinition:
    """The checks that stand between the segments and everything that readers get."""
    specs = [
        dg.AssetCheckSpec(
            CHECK_NAME,
            asset=[SEGMENTS_SCHEMA, table],
            blocking=True,
            description=f"Every expectation of the suite of {table}; an error keeps what was served before.",
        )
        for table in segment_tables
    ]

    @dg.multi_asset_check(specs=specs, name="gate")
    def gate(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        as_of_date = date.fromisoformat(context.partition_key)
        progress.stage("5/7 audit")
        with keeper.step():
            verdict = audit_build(
                keeper.build_dir,
                settings.database(source.name),
                as_of_date,
                SUITES_DIR,
                segment_tables,
                checked_at=datetime.now(UTC),
                variables=variables(source, as_of_date),
            )
            keeper.record_verdict(verdict)
        failed = sum(not result.passed for result in verdict.results)
        progress.finish(f"{len(verdict.results) - failed} checks passed, {failed} failed")
        for table in segment_tables:
            yield check_result(table, [result for result in verdict.results if result.suite == table])

    return gate


def check_result(table: str, results: list[CheckResult]) -> dg.AssetCheckResult:
    """One suite's results as one Dagster check: failed by an error, warned by a warning, with what was found."""
    failed = [result for result in results if not result.passed]
    return dg.AssetCheckResult(
        asset_key=[SEGMENTS_SCHEMA, table],
        check_name=CHECK_NAME,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if any(result.blocks for result in failed) else dg.AssetCheckSeverity.WARN,
        metadata={
            "expectations": len(results),
            "failed": len(failed),
            "what failed": dg.MetadataValue.md("\n".join(f"- {result} ({result.severity})" for result in failed) or "nothing"),
        },
    )
