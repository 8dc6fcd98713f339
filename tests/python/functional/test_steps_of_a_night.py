"""What the dbt steps of a night take on: every model and data test once, and rule tables only when one has changed."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orchestration.ingest.source import Source
from orchestration.settings import Settings
from orchestration.transform import assets, dbt

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
