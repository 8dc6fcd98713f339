"""A synthetic retailer brings every raw table; without any one of the optional ones the models still build and pass the gate."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.ingest.contract import read_contract
from orchestration.ingest.source import Source, resolve_source
from orchestration.quality.assets import SUITES_DIR
from orchestration.quality.suites import COMMON_SUITE
from orchestration.quality.verdict import audit_build
from orchestration.settings import Settings
from orchestration.synthetic.generate import generate
from orchestration.transform import dbt
from orchestration.transform.manifest import segment_tables
from tests.python.functional.conftest import Served, segments

OPTIONAL_TABLES = sorted(table.name for table in read_contract().tables.values() if not table.required)
AS_OF_DATE = date(2026, 1, 1)

# Answers that say nothing about a customer. Everything else has to come from the tables that are there.
UNPLACED = ("unknown", "none", "not_permitted", "not_a_member", "never_contacted")


@pytest.fixture(scope="module")
def retailer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Source]:
    """A small retailer, of another seed and size than the rules were tried on, and a night of it."""
    folder = tmp_path_factory.mktemp("retailer")
    generate(folder / "source", customers=600, months=24, seed=7)
    # Three hundred of them buy: fewer than clusters are looked for among.
    with (folder / "source" / "source.yml").open("a", encoding="utf-8") as file:
        file.write("vars:\n  behaviour_cluster_minimum_customers: 200\n")
    settings = Settings(home=folder / "home", source=str(folder / "source"))
    run = segments("nightly", "--source", settings.source, "--home", str(settings.home))
    assert run.exit_code == 0, run.errors + run.output
    return settings, resolve_source(settings.source)


def test_every_segmentation_places_every_customer_once(retailer: tuple[Settings, Source]) -> None:
    settings, source = retailer
    served = Served(settings.home)
    tables = [table for table in served.tables() if table.endswith("_segments")]
    assert tables == [table for table in segment_tables(dbt.parse(settings, source)) if table.endswith("_segments")]
    for table in tables:
        assert served.query(f"select count(*), count(distinct customer_id), count(segment) from published.{table}") == [(600, 600, 600)]
        assert served.query(f"select count(*) from published.{table} where segment not in {UNPLACED}")[0][0] > 0, table


@pytest.fixture(scope="module")
def home_without(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each test makes its home: at one place, so that dbt parses the project once."""
    return tmp_path_factory.mktemp("without") / "home"


@pytest.mark.parametrize("absent", OPTIONAL_TABLES)
def test_without_one_optional_table_only_what_depends_on_it_changes(
    retailer: tuple[Settings, Source], home_without: Path, absent: str
) -> None:
    settings, source = retailer
    without = _home_without(settings, source, home_without, absent)
    manifest = dbt.parse(without, source)
    dependent = _dependent_models(manifest, absent)
    # A landing never loses a batch, and base tables keep what they have staged; so here they are told to begin again.
    # Data tests judge a delivery (a shop that stops sending a table is told so); here the models and the gate are asked.
    dbt.run(
        ["build", "--full-refresh", "--select", *sorted(dependent), "--exclude-resource-type", "unit_test", "test"],
        settings=without,
        source=source,
        as_of_date=AS_OF_DATE,
        build_id="without",
    )
    tables = segment_tables(manifest)
    assert _changed_tables(settings.database(source.name), without.database(source.name), tables) <= dependent
    # The gate has seen the others as they are, in the retailer's night.
    audited = [table for table in tables if table in dependent]
    verdict = audit_build(
        without.home,
        without.database(source.name),
        AS_OF_DATE,
        _suites_of(audited, without.home / "suites"),
        audited,
        checked_at=datetime.now(UTC),
        variables=dbt.variables(source, AS_OF_DATE),
    )
    assert verdict.blocking == []


def _home_without(settings: Settings, source: Source, home: Path, absent: str) -> Settings:
    """A home with the same landing but for one table, and a copy of the working database."""
    without = Settings(home=home, source=settings.source)
    for written in (without.landing(source.name), without.database(source.name).parent):
        shutil.rmtree(written, ignore_errors=True)
    for folder in settings.landing(source.name).iterdir():
        if folder.is_dir():
            target = without.landing(source.name) / folder.name
            batches = "batch=contract" if folder.name == absent else "batch=*"
            for batch in folder.glob(batches):
                shutil.copytree(batch, target / batch.name)
    without.database(source.name).parent.mkdir(parents=True)
    shutil.copy(settings.database(source.name), without.database(source.name))
    return without


def _dependent_models(manifest: dict[str, object], absent: str) -> set[str]:
    """Models up to the segments that are downstream of a raw table in dbt's own lineage.

    Not by way of the models that say whom a night computes again: these read every raw table, and are read by every roll-up.
    """
    children: dict[str, list[str]] = manifest["child_map"]  # type: ignore[assignment]
    nodes: dict[str, dict[str, list[str]]] = manifest["nodes"]  # type: ignore[assignment]
    reached: set[str] = set()
    waiting = [f"source.customer_segments.landing.{absent}"]
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting += [] if node.rsplit(".", 1)[1].startswith("int_refreshed_") else children.get(node, [])
    models = (node for node in reached if node.startswith("model.") and nodes[node]["fqn"][1] not in ("history", "published"))
    return {model.rsplit(".", 1)[1] for model in models}


def _suites_of(tables: list[str], folder: Path) -> Path:
    """A folder with the suites of these tables alone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in (COMMON_SUITE, *tables):
        shutil.copy(SUITES_DIR / f"{name}.yml", folder)
    return folder


def _changed_tables(before: Path, after: Path, tables: list[str]) -> set[str]:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{before}' as before (read_only)")
        connection.execute(f"attach '{after}' as after (read_only)")
        return {
            table
            for table in tables
            if connection.execute(
                f"(from before.segments.{table} except from after.segments.{table}) union all "
                f"(from after.segments.{table} except from before.segments.{table}) limit 1"
            ).fetchall()
        }
