"""The three dbt steps of a night as Dagster assets: up to the features, predictions and segments, what readers get."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from orchestration import working_database
from orchestration.ingest.source import Source
from orchestration.night import NightKeeper
from orchestration.progress import Progress
from orchestration.quality.verdict import require_passed_verdict
from orchestration.settings import Settings
from orchestration.transform import dbt
from orchestration.transform.manifest import rule_tables, segment_tables
from orchestration.transform.rules import (
    forget_rules,
    remember_rule_tables,
    remember_rules,
    rule_tables_are_loaded,
    rules_of_working_tables,
    why_to_build_anew,
)

# Between the steps stand the fits, which read the features, and the gate, which judges the segments. A blocking check on a model does
# not stop models of the same Dagster step, so what comes after the gate has to be a step of its own. Folders are tagged in dbt_project.yml.
PREDICTION_TO_REPORTING = "tag:after_the_fits"
REPORTING = "tag:after_the_gate"
# With all tests that read any of it.
AFTER_THE_FITS = f"{PREDICTION_TO_REPORTING}+"
# Data tests that read a segment output run after the gate: it is the gate that judges the segments and tells what is wrong with
# them, and a dbt test that failed before it would keep it from saying so.
TESTS_ABOUT_SEGMENTS = "fqn:customer_segments.segments+1,resource_type:test fqn:customer_segments.audiences+1,resource_type:test"
AFTER_THE_GATE = f"{REPORTING} {TESTS_ABOUT_SEGMENTS}"
EVERYTHING = "fqn:*"
# Rule tables change by pull request, not by night: they are loaded, and tests that read nothing else run, when one has changed.
# dbt takes a test along with what it reads, so naming the models leaves those tests out.
EVERYTHING_BUT_RULE_TABLES = "resource_type:model resource_type:source"


class LayerTranslator(DagsterDbtTranslator):
    """Groups assets by layer (the folder below `models/`), so that the lineage reads like the path of a night."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The layer: staging, intermediate, features, prediction, segments, audiences, history, published; seeds are rules."""
        if dbt_resource_props["resource_type"] == "seed":
            return "rules"
        return str(dbt_resource_props["fqn"][1])


def build_dbt_assets(
    *,
    manifest: Mapping[str, Any],
    settings: Settings,
    source: Source,
    partitions: dg.PartitionsDefinition,
    keeper: NightKeeper,
    progress: Progress,
) -> list[dg.AssetsDefinition]:
    """The assets of all three steps; a failure is recorded with the build."""
    translator = LayerTranslator()
    database = settings.database(source.name)
    rules = rules_of_working_tables(manifest, dbt.variables(source))
    segments = segment_tables(manifest)
    seeds = rule_tables(manifest)

    dbt_step = partial(
        dbt_assets,
        manifest=manifest,
        partitions_def=partitions,
        dagster_dbt_translator=translator,
        backfill_policy=dg.BackfillPolicy.multi_run(),
    )

    def run_dbt(context: dg.AssetExecutionContext, select: str, exclude: str, *, full_refresh: bool = False) -> Iterator[Any]:
        yield from _run(context, manifest, settings, source, translator, keeper.build_id, select, exclude, progress, full_refresh)

    @dbt_step(name="build_features", select=EVERYTHING, exclude=PREDICTION_TO_REPORTING)
    def build_features(context: dg.AssetExecutionContext) -> Iterator[Any]:
        progress.stage("2/7 build staging, features")
        with keeper.step():
            keeper.require_sound_files()
            reason = why_to_build_anew(database, rules, asked=keeper.full_refresh)
            if reason is not None:
                progress.note(f"full refresh: {reason}")
                forget_rules(database)
            # Some of the tables, picked in the UI, are not all of them. Every incremental table but history is in this step.
            is_whole = context.selected_asset_keys == build_features.keys
            are_loaded = is_whole and reason is None and rule_tables_are_loaded(database, seeds)
            if are_loaded:
                yield from _unchanged(build_features.keys_by_output_name, seeds)
            else:
                remember_rule_tables(database, {})
            wanted = EVERYTHING_BUT_RULE_TABLES if are_loaded else EVERYTHING
            yield from run_dbt(context, wanted, AFTER_THE_FITS, full_refresh=reason is not None)
            if is_whole:
                remember_rules(database, rules)
                remember_rule_tables(database, seeds)
        progress.finish()

    @dbt_step(name="build_segments", select=PREDICTION_TO_REPORTING, exclude=REPORTING)
    def build_segments(context: dg.AssetExecutionContext) -> Iterator[Any]:
        progress.stage("4/7 build predictions, segments, audiences")
        with keeper.step():
            keeper.require_sound_files()
            yield from run_dbt(context, PREDICTION_TO_REPORTING, AFTER_THE_GATE)
            # What was asked for holds for one day, and the fits before this step were part of it.
            keeper.full_refresh = False
        progress.finish()

    @dbt_step(name="build_reporting", select=REPORTING)
    def build_reporting(context: dg.AssetExecutionContext) -> Iterator[Any]:
        progress.stage("6/7 build history and published tables")
        with keeper.step():
            keeper.require_sound_files()
            # History is as public as what is served: nothing that did not pass is recorded, however this step was started.
            require_passed_verdict(keeper.build_dir, database, segments)
            yield from run_dbt(context, AFTER_THE_GATE, "")
            if context.selected_asset_keys == build_reporting.keys:
                keeper.record_day()
        progress.finish()

    return [build_features, build_segments, build_reporting]


def _run(
    context: dg.AssetExecutionContext,
    manifest: Mapping[str, Any],
    settings: Settings,
    source: Source,
    translator: DagsterDbtTranslator,
    build_id: str,
    select: str,
    exclude: str,
    progress: Progress,
    full_refresh: bool,
) -> Iterator[Any]:
    results: list[dbt.DbtEvent] = []

    def on_result(event: dbt.DbtEvent) -> None:
        results.append(event)
        data = event["data"]
        progress.step(data["node_info"]["node_name"], int(data.get("index", 0)), int(data.get("total", 0)))

    # Everything of the step, or the part that somebody picked in the UI.
    selection, _ = get_subset_selection_for_context(
        context=context,
        manifest=manifest,
        select=select,
        exclude=exclude,
        selector="",
        dagster_dbt_translator=translator,
        current_dbt_indirect_selection_env=None,
    )
    arguments = dbt.build_arguments(selection, full_refresh=full_refresh)
    failure: dbt.DbtFailed | None = None
    try:
        as_of_date = date.fromisoformat(context.partition_key)
        dbt.run(arguments, settings=settings, source=source, as_of_date=as_of_date, build_id=build_id, on_result=on_result)
    except dbt.DbtFailed as error:
        failure = error

    row_counts = _row_counts(settings.database(source.name))
    for event in results:
        message = DbtCoreCliEventMessage(raw_event=event, event_history_metadata={})
        for dagster_event in message.to_default_asset_events(
            manifest=manifest, dagster_dbt_translator=translator, context=context, target_path=None
        ):
            yield _with_row_count(dagster_event, event, row_counts)
    if failure is not None:
        raise failure


def _unchanged(keys_by_output_name: Mapping[str, dg.AssetKey], rule_tables: Collection[str]) -> Iterator[dg.Output[None]]:
    """Rule tables that are as they were: Dagster would otherwise take what reads them for not buildable."""
    for output_name, key in keys_by_output_name.items():
        if key.path[-1] in rule_tables:
            yield dg.Output(None, output_name=output_name, metadata={"loaded": False})


def _row_counts(database: Path) -> dict[str, int]:
    """Rows of every table of the working database, by `schema.table`."""
    with working_database.connect(database) as connection:
        rows = connection.execute("select schema_name || '.' || table_name, estimated_size from duckdb_tables()").fetchall()
    return dict(rows)


def _with_row_count(dagster_event: Any, event: dbt.DbtEvent, row_counts: Mapping[str, int]) -> Any:
    relation = event["data"]["node_info"].get("node_relation", {})
    rows = row_counts.get(f"{relation.get('schema')}.{relation.get('alias')}")
    if isinstance(dagster_event, dg.Output) and rows is not None:
        return dg.Output(
            value=None,
            output_name=dagster_event.output_name,
            metadata={**dagster_event.metadata, "dagster/row_count": rows},
        )
    return dagster_event
