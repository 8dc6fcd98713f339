"""Fits as Dagster assets, one for each model, and what a day takes from them; between the features and the segments."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg

from orchestration.ingest.source import Source, project_variables
from orchestration.night import NightKeeper
from orchestration.prediction.fitting import FittedModel, fit_where_due
from orchestration.progress import Progress
from orchestration.settings import Settings
from orchestration.transform import dbt

FITS = "model_fits"
FIT_JOB = "fit_models"
PREDICTION = "prediction"
# How old the newest fit of a model may be before Dagster says so: its calendar and a week in which somebody looks.
FRESH_FOR = {"month": timedelta(days=38), "week": timedelta(days=14), "day": timedelta(days=8)}


def build_prediction_assets(
    *,
    models: Sequence[FittedModel],
    score: Callable[..., Mapping[str, int]],
    manifest: Mapping[str, Any],
    settings: Settings,
    source: Source,
    partitions: dg.PartitionsDefinition,
    keeper: NightKeeper,
    progress: Progress,
) -> list[dg.AssetsDefinition]:
    """One asset for each model's fit, and one that evaluates the fits in force for the day; dbt reads what they write."""
    database = settings.database(source.name)
    variables = {**project_variables(), **dbt.variables(source)}

    def fit_asset(model: FittedModel) -> dg.AssetsDefinition:
        @dg.asset(
            key=[FITS, model.name],
            deps=asset_keys(manifest, model.inputs),
            group_name=PREDICTION,
            description=f"{model.description} Fitted where the day's fit is not in the log; nothing otherwise.",
            kinds={"python"},
            partitions_def=partitions,
            backfill_policy=dg.BackfillPolicy.multi_run(),
            freshness_policy=dg.FreshnessPolicy.time_window(fail_window=FRESH_FOR[str(variables["fit_every"])]),
        )
        def fit_model(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
            progress.stage(f"3/7 fit {model.name}")
            with keeper.step():
                made = fit_where_due(
                    database,
                    model,
                    date.fromisoformat(context.partition_key),
                    variables,
                    again=keeper.full_refresh or context.run.job_name == FIT_JOB,
                    on_fit=lambda due: progress.step(f"of {due}", 0, 1),
                )
            outcome = ", ".join(f"{day} {fit.reason or 'converged'}" for day, fit in made.items()) or "not due"
            progress.finish(outcome)
            return dg.MaterializeResult(metadata={"fits made": len(made), "what came of them": outcome})

        return fit_model

    @dg.multi_asset(
        name="score_states",
        specs=[
            dg.AssetSpec(
                [PREDICTION, table["name"]],
                deps=[[FITS, model.name] for model in models],
                group_name=PREDICTION,
                description=table["description"],
                kinds={"duckdb"},
                partitions_def=partitions,
            )
            for table in manifest["sources"].values()
            if table["source_name"] == PREDICTION
        ],
        backfill_policy=dg.BackfillPolicy.multi_run(),
    )
    def score_states(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        progress.stage("3/7 score states")
        with keeper.step():
            rows = score(database, date.fromisoformat(context.partition_key), variables)
        progress.finish()
        for table, count in rows.items():
            yield dg.MaterializeResult(asset_key=[PREDICTION, table], metadata={"dagster/row_count": count})

    return [*(fit_asset(model) for model in models), score_states]


def asset_keys(manifest: Mapping[str, Any], models: Sequence[str]) -> list[dg.AssetKey]:
    """The Dagster keys of dbt models: schema and name."""
    schemas = {node["name"]: node["schema"] for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    return [dg.AssetKey([schemas[name], name]) for name in models]
