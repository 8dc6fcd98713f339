"""Apache Superset on real nights, in DuckDB and in PostgreSQL: the right numbers, and those of the next night without a restart."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.python.bi.conftest import Mart
from tests.python.bi.documentation import blocks
from tests.python.bi.superset_server import Superset, running_superset
from tests.python.functional.conftest import Served, segments, write_shop_of

pytestmark = pytest.mark.bi

CUSTOMERS = 80
FIRST_DAY, SECOND_DAY = "2025-09-01", "2026-01-01"


@dataclass(frozen=True)
class Chart:
    """A chart over a published table: what it groups by, and its figures by name."""

    table: str
    columns: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]

    @property
    def query(self) -> str:
        """The same question, asked of the serving database."""
        groups = ", ".join(self.columns)
        figures = ", ".join(f"{expression} as {name}" for name, expression in self.figures)
        return f"select {groups}, {figures} from published.{self.table} group by {groups} order by {groups}"


IN_DUCKDB = Chart("rfm_segments", ("segment",), (("customers", "count(*)"), ("spent", "sum(monetary_value)")))
# With its metadata in SQLite, Superset wants two datasets to have two names.
IN_POSTGRES = Chart("segment_kpis", ("segmentation", "segment"), (("customers", "sum(customers)"), ("revenue", "sum(revenue)")))


@pytest.fixture(scope="module")
def superset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    with running_superset(tmp_path_factory.mktemp("superset")) as running:
        yield running


def test_superset_shows_each_build_as_soon_as_it_is_published(superset: Superset, mart: Mart, tmp_path: Path) -> None:
    shop, served = write_shop_of(tmp_path / "shop", CUSTOMERS), Served(tmp_path / "warehouse")
    night(shop, served.home, FIRST_DAY)
    in_duckdb, in_postgres = (line for line in blocks("Apache Superset", "text")[0].splitlines())
    place = mart.analyst.removeprefix("postgresql://")
    charts = [
        (IN_DUCKDB, make_chart(superset, served, in_duckdb.replace("/FOLDER", str(served.home)), IN_DUCKDB)),
        (IN_POSTGRES, make_chart(superset, served, in_postgres.split("analyst:")[0] + place, IN_POSTGRES)),
    ]
    shown = []
    for day in (FIRST_DAY, SECOND_DAY):
        if day != FIRST_DAY:
            night(shop, served.home, day)
        for chart, number in charts:
            numbers = data(superset, number)
            assert numbers == right(served, chart), f"{chart.table} on {day}"
            shown.append((chart.table, json.dumps(numbers)))
    assert len(set(shown)) == 4, "the nights differ, so what is shown has to"
    print(*(f"{table}: {numbers[:400]}" for table, numbers in shown), sep="\n")


def night(shop: Path, home: Path, day: str) -> None:
    done = segments("nightly", "--source", str(shop), "--home", str(home), "--as-of", day, "--publish", "postgres")
    assert done.exit_code == 0, done.output + done.errors
    assert "PostgreSQL serves build" in done.output


def make_chart(superset: Superset, served: Served, address: str, chart: Chart) -> int:
    """Connect a database, make a dataset and a chart of it, as a person would by hand; returns the number of the chart."""
    database = superset.post("/database/", {"database_name": chart.table, "sqlalchemy_uri": address, "expose_in_sqllab": True})["id"]
    dataset = superset.post("/dataset/", {"database": database, "schema": "published", "table_name": chart.table})["id"]
    found = {column["column_name"]: column["description"] for column in superset.get(f"/dataset/{dataset}")["result"]["columns"]}
    comments = served.query(f"select column_name, comment from duckdb_columns() where table_name = '{chart.table}'")
    assert found == dict(comments), "descriptions come along"
    assert all(found.values())
    question = {
        "columns": list(chart.columns),
        "metrics": [{"expressionType": "SQL", "sqlExpression": expression, "label": name} for name, expression in chart.figures],
        "row_limit": 10_000,
    }
    context = {"datasource": {"id": dataset, "type": "table"}, "result_format": "json", "result_type": "full", "queries": [question]}
    return int(
        superset.post(
            "/chart/",
            {
                "slice_name": chart.table,
                "datasource_id": dataset,
                "datasource_type": "table",
                "viz_type": "table",
                "params": json.dumps({"viz_type": "table", "groupby": list(chart.columns)}),
                "query_context": json.dumps(context),
            },
        )["id"]
    )


def data(superset: Superset, number: int) -> list[dict[str, Any]]:
    """What a chart shows now: its own question, asked as a dashboard asks it."""
    context = json.loads(superset.get(f"/chart/{number}")["result"]["query_context"])
    (answer,) = superset.post("/chart/data", context)["result"]
    assert (answer["status"], answer["error"]) == ("success", None)
    return sorted(map(rounded, answer["data"]), key=json.dumps)


def right(served: Served, chart: Chart) -> list[dict[str, Any]]:
    """What it has to show, asked of the serving database by the project's own client."""
    names = [*chart.columns, *(name for name, _ in chart.figures)]
    return sorted((rounded(dict(zip(names, row, strict=True))) for row in served.query(chart.query)), key=json.dumps)


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Sums come as integers, decimals or floats: to the cent they are the same."""
    return {name: value if isinstance(value, str) or value is None else round(float(value), 2) for name, value in row.items()}
