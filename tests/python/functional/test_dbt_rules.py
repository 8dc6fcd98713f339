"""Every rule has a dbt unit test, and all of them pass on the relations that a real night has built."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.python.functional.conftest import PROJECT_DIR, Run, Served


@pytest.fixture(scope="module")
def dbt_environment(complete_journey: tuple[Served, Run], tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Path]:
    """dbt pointed at a copy of the working database of the night, and where it may write."""
    served, run = complete_journey
    assert run.exit_code == 0, run.errors
    folder = tmp_path_factory.mktemp("dbt")
    database = shutil.copy(served.home / "working" / "complete_journey" / "warehouse.duckdb", folder / "warehouse.duckdb")
    landing = served.home / "landing" / "complete_journey"
    return {**os.environ, "SEGMENTS_DATABASE": str(database), "SEGMENTS_LANDING": str(landing), "DO_NOT_TRACK": "1"}, folder


def dbt(environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run dbt as an analytics engineer does."""
    variables = json.dumps({"as_of_date": "2018-01-01", "business_timezone": "America/New_York"})
    command = [str(Path(sys.executable).with_name("dbt")), *arguments, "--profiles-dir", str(PROJECT_DIR), "--vars", variables]
    command += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs"), "--log-level-file", "none", "--no-use-colors"]
    return subprocess.run(
        command,
        cwd=PROJECT_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_dbt_unit_tests_pass(dbt_environment: tuple[dict[str, str], Path]) -> None:
    # The raw tables are files; dbt's unit tests ask them for columns as if they were tables.
    declared = dbt(*dbt_environment, "run-operation", "declare_raw_tables")
    assert declared.returncode == 0, declared.stdout[-2000:]
    done = dbt(*dbt_environment, "test", "--select", "test_type:unit")
    assert done.returncode == 0, done.stdout[-6000:]
    summary = re.search(r"PASS=(\d+) WARN=0 ERROR=0 SKIP=0", done.stdout)
    assert summary is not None, done.stdout[-2000:]
    assert int(summary[1]) > 50


def test_every_segmentation_has_unit_tests_a_suite_and_definitions(dbt_environment: tuple[dict[str, str], Path]) -> None:
    environment, folder = dbt_environment
    assert dbt(environment, folder, "parse").returncode == 0
    manifest = json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8"))
    tested = {node["model"] for node in manifest["unit_tests"].values()}
    definitions = (PROJECT_DIR / "seeds" / "segment_definitions.csv").read_text(encoding="utf-8")
    segmentations = sorted(path.stem for path in (PROJECT_DIR / "models" / "segments").rglob("*.sql"))
    assert segmentations
    for table in segmentations:
        assert table in tested, f"{table} has no dbt unit test"
        assert (PROJECT_DIR / "orchestration" / "quality" / "suites" / f"{table}.yml").is_file(), f"{table} has no quality suite"
        assert f"\n{table.removesuffix('_segments')}," in definitions, f"{table} has no row in segment_definitions"


def test_every_model_and_column_is_described_grain_first(dbt_environment: tuple[dict[str, str], Path]) -> None:
    environment, folder = dbt_environment
    assert dbt(environment, folder, "parse").returncode == 0
    manifest = json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8"))
    catalogued = _columns_of_relations(Path(environment["SEGMENTS_DATABASE"]))
    wanting = []
    for node in manifest["nodes"].values():
        if node["resource_type"] not in ("model", "seed"):
            continue
        # Audiences describe themselves: a definition without a description is refused, and all of them have the same two columns.
        if "audience" in node["config"].get("meta", {}):
            continue
        if not node["description"].startswith("Grain: "):
            wanting.append(f"{node['name']}: no grain")
        described = {name for name, column in node["columns"].items() if column["description"].strip()}
        if node["config"].get("meta", {}).get("columns_follow_from"):
            continue
        wanting += [f"{node['name']}.{name}" for name in catalogued[node["schema"], node["alias"]] - described]
    assert wanting == []


def _columns_of_relations(database: Path) -> dict[tuple[str, str], set[str]]:
    import duckdb

    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute("select schema_name, table_name, column_name from duckdb_columns()").fetchall()
    columns: dict[tuple[str, str], set[str]] = {}
    for schema, table, column in rows:
        columns.setdefault((schema, table), set()).add(column)
    return columns
