"""What the dbt steps of a night take on: every model and data test once, and rule tables only when one has changed.

And what a night that Dagster starts refuses before them.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestration.automation.instance import DAGSTER_YAML
from orchestration.automation.job import NIGHTLY_JOB
from orchestration.ingest.source import Source
from orchestration.settings import Settings
from orchestration.transform import assets, dbt
from tests.python.functional.conftest import PROJECT_DIR

Node = dict[str, Any]
ListNodes = Callable[[str, str], list[str]]
RUN_BY_A_NIGHT = ("model", "seed", "test")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Node], ListNodes]]:
    """Models, seeds and data tests by name, and what lists those that a step selects."""
    folder = tmp_path_factory.mktemp("steps")
    settings, source = Settings(home=folder / "home"), Source(name="steps", folder=folder)
    with pytest.MonkeyPatch.context() as environment:
        for name in ("SEGMENTS_DATABASE", "SEGMENTS_LANDING", "DO_NOT_TRACK"):
            environment.setenv(name, "")  # put back afterwards
        nodes = {node["name"]: node for node in dbt.parse(settings, source)["nodes"].values() if node["resource_type"] in RUN_BY_A_NIGHT}

        def list_nodes(select: str, exclude: str) -> list[str]:
            selection = ["--select", *select.split(), *(["--exclude", *exclude.split()] if exclude else [])]
            _, *arguments = dbt.build_arguments(selection)
            kinds = [argument for kind in RUN_BY_A_NIGHT for argument in ("--resource-type", kind)]
            common = dbt.common_arguments(settings, dbt.variables(source))
            result = dbt.invoke(["ls", "--output", "name", "--quiet", *kinds, *arguments, *common])
            assert result.success, result.exception
            return list(result.result)

        yield nodes, list_nodes


def test_every_model_and_data_test_is_in_one_step(project: tuple[dict[str, Node], ListNodes]) -> None:
    nodes, list_nodes = project
    steps = [
        list_nodes(assets.EVERYTHING, assets.AFTER_THE_FITS),
        list_nodes(assets.PREDICTION_TO_REPORTING, assets.AFTER_THE_GATE),
        list_nodes(assets.AFTER_THE_GATE, ""),
    ]
    assert Counter(name for step in steps for name in step) == Counter(list(nodes))


def test_unchanged_rule_tables_leave_out_themselves_and_tests_of_nothing_else(project: tuple[dict[str, Node], ListNodes]) -> None:
    nodes, list_nodes = project
    everything = set(list_nodes(assets.EVERYTHING, assets.AFTER_THE_FITS))
    left_out = everything - set(list_nodes(assets.EVERYTHING_BUT_RULE_TABLES, assets.AFTER_THE_FITS))
    seeds = {node["unique_id"] for node in nodes.values() if node["resource_type"] == "seed"}

    def is_about_rule_tables(node: Node) -> bool:
        read = node["depends_on"]["nodes"] if node["resource_type"] == "test" else [node["unique_id"]]
        return bool(read) and seeds.issuperset(read)  # a test that reads nothing is about no table, and runs every night

    about_rule_tables = {name for name, node in nodes.items() if is_about_rule_tables(node)}
    assert left_out == about_rule_tables & everything
    # It reads what customers have stated, which changes every night, beside a rule table.
    assert "assert_what_customers_state_is_in_the_rule_tables" not in left_out


@pytest.mark.parametrize(
    ("file", "right", "wrong", "told"),
    [
        (
            "models/audiences/ambassadors.sql",
            "segment: advocacy",
            "segment: advocay",
            ":8: there is no segmentation 'advocay': did you mean",
        ),
        # dbt cannot parse this one.
        ("models/audiences/ambassadors.sql", "ambassador}", "ambassador", ":9: the definition is not readable as YAML"),
        ("seeds/rfm_rules.csv", "10,4,5,4,5,", "10,4,high,4,5,", ":2: recency_max is 'high', which is no integer: correct it"),
    ],
)
def test_a_night_that_dagster_starts_refuses_wrong_files_before_anything_is_landed(
    five_customers: Path, tmp_path: Path, file: str, right: str, wrong: str, told: str
) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    left_out = shutil.ignore_patterns(".venv", ".git", "warehouse", "target", "logs", "__pycache__", ".*_cache")
    shutil.copytree(PROJECT_DIR, project, ignore=left_out)
    text = (project / file).read_text(encoding="utf-8")
    assert text.count(right) == 1
    (project / file).write_text(text.replace(right, wrong), encoding="utf-8")
    (home / "dagster").mkdir(parents=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(project),
        "DO_NOT_TRACK": "1",
        "SEGMENTS_HOME": str(home),
        "SEGMENTS_SOURCE": str(five_customers),
        "DAGSTER_HOME": str(home / "dagster"),
    }
    (home / "dagster" / "dagster.yaml").write_text(DAGSTER_YAML, encoding="utf-8")
    night = ("job", "execute", "-m", "orchestration.definitions", "-j", NIGHTLY_JOB, "--tags", '{"dagster/partition": "2026-01-01"}')
    done = subprocess.run(
        [sys.executable, "-m", "dagster", *night], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"UnusableInput: {file}{told}" in done.stdout + done.stderr
    assert not (home / "landing").exists() and not (home / "working").exists() and not (home / "builds").exists()
