"""Every metric has one definition: what MetricFlow makes of it is what segment_kpis says, for every segment of every segmentation."""

import json
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from orchestration.sql import quote_literal
from tests.python.functional.test_dbt_rules import dbt, dbt_environment  # noqa: F401
from tests.python.unit.test_segmentations import listed

# Decimals that the table rounds to cents.
IN_CENTS = {"average_order_value", "revenue", "margin", "campaign_cost", "campaign_revenue", "points_redeemed"}
# Told of a segment in proportion to everybody: no metric of their own, but a quotient of two values of one.
PROPORTIONS = {"share": "customers", "revenue_share": "revenue"}


@pytest.fixture(scope="module")
def warehouse(dbt_environment: tuple[dict[str, str], Path]) -> tuple[duckdb.DuckDBPyConnection, str]:  # noqa: F811
    """The working database of the night with figures that its source lacks, and the metrics as dbt has read them."""
    environment, folder = dbt_environment
    changed = Path(environment["SEGMENTS_DATABASE"])
    with duckdb.connect(str(changed)) as connection:
        # Some know them, some do not; who was not written to has no answer.
        connection.execute(
            """
            update features.customer_period_features set
                cost_amount = case when hash(customer_id) % 5 > 0 then net_amount * 0.7 end,
                costed_amount = case when hash(customer_id) % 5 > 0 then net_amount end,
                contacts = hash(customer_id) % 4,
                is_responding = case when hash(customer_id) % 4 > 0 then hash(customer_id) % 3 = 0 end,
                is_converted = case when hash(customer_id) % 4 > 0 then hash(customer_id) % 6 = 0 end,
                campaign_cost = case when hash(customer_id) % 4 > 0 then 0.37 end,
                campaign_revenue = case when hash(customer_id) % 6 = 0 then 12.34 end,
                satisfaction_sum = case when hash(customer_id) % 7 = 0 then 4 end,
                satisfaction_answers = case when hash(customer_id) % 7 = 0 then 1 else 0 end,
                points_redeemed = hash(customer_id) % 100
            """
        )
    built = dbt(environment, folder, "run", "--select", "segment_days", "segment_kpis")
    assert built.returncode == 0, built.stdout[-3000:]
    return duckdb.connect(str(changed), read_only=True), (folder / "target" / "semantic_manifest.json").read_text(encoding="utf-8")


@cache
def engine_of(manifest: str) -> Any:
    """MetricFlow on the definitions; it writes SQL and runs none."""
    from metricflow.engine.metricflow_engine import MetricFlowEngine
    from metricflow.protocols.sql_client import SqlEngine
    from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
    from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    writes_duckdb: Any = SimpleNamespace(sql_engine_type=SqlEngine.DUCKDB, sql_plan_renderer=DuckDbSqlPlanRenderer())
    return MetricFlowEngine(SemanticManifestLookup(parse_manifest_from_dbt_generated_manifest(manifest)), writes_duckdb)


def metrics_by(segmentation: str, names: list[str], manifest: str, connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    """What the definitions give for each segment of a segmentation."""
    from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

    dimension = f"customer__{segmentation}_segment"
    request = MetricFlowQueryRequest.create(metric_names=names, group_by_names=[dimension])
    answer = connection.execute(engine_of(manifest).explain(request).sql_statement.sql)
    columns = [described[0] for described in answer.description or []]
    rows = [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]
    return {row[dimension]: row for row in rows}


def columns_of_kpis(connection: duckdb.DuckDBPyConnection) -> list[str]:
    described = connection.execute("select * from reporting.segment_kpis limit 0").description or []
    return [name for name, *_ in described if name not in ("as_of_date", "segmentation", "segment")]


def test_every_published_figure_has_a_metric(warehouse: tuple[duckdb.DuckDBPyConnection, str]) -> None:
    connection, manifest = warehouse
    defined = {metric["name"] for metric in json.loads(manifest)["metrics"]}
    assert set(columns_of_kpis(connection)) - PROPORTIONS.keys() <= defined
    assert "customer_lifetime_value" in defined


@pytest.mark.parametrize("segmentation", listed())
def test_published_figures_are_what_their_metrics_give(warehouse: tuple[duckdb.DuckDBPyConnection, str], segmentation: str) -> None:
    connection, manifest = warehouse
    columns = columns_of_kpis(connection)
    names = [name for name in columns if name not in PROPORTIONS]
    told = metrics_by(segmentation, names, manifest, connection)
    published = connection.execute(
        f"""
        select segment, {", ".join(columns)} from reporting.segment_kpis
        where segmentation = {quote_literal(segmentation)} and as_of_date = date '2018-01-01' and customers > 0
        """
    ).fetchall()
    assert {segment for segment, *_ in published} == set(told)
    for segment, *values in published:
        for name, value in zip(columns, values, strict=True):
            if name in PROPORTIONS:
                whole = sum(float(row[PROPORTIONS[name]] or 0) for row in told.values())
                metric: Any = float(told[segment][PROPORTIONS[name]] or 0) / whole
            else:
                metric = told[segment][name]
            where = (segmentation, segment, name)
            if value is None or metric is None:
                assert (value, metric) == (None, None), where
            else:
                assert float(value) == pytest.approx(float(metric), rel=1e-9, abs=0.00501 if name in IN_CENTS else 1e-12), where


def test_a_figure_that_differs_from_its_metric_is_found(warehouse: tuple[duckdb.DuckDBPyConnection, str]) -> None:
    connection, manifest = warehouse
    changed = manifest.replace("case when orders > 1 then 1 else 0 end", "case when orders > 2 then 1 else 0 end")
    assert changed != manifest
    one, other = (metrics_by("rfm", ["repeat_purchase_rate"], each, connection) for each in (manifest, changed))
    assert one["new"] != other["new"] or one["lost"] != other["lost"]
