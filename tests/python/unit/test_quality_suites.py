"""The suites are read strictly: what is not understood is an error that names file and place."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.errors import UnusableInput
from orchestration.quality.suites import COMMON_SUITE, Threshold, load_suites, references

NOT_NULL = {"type": "expect_column_values_to_not_be_null", "column": "customer_id", "why": "because"}
RANGE = {"type": "expect_column_values_to_be_between", "column": "score", "arguments": {"min_value": 1}, "why": "because"}


def write(folder: Path, name: str, *expectations: Any, **document: Any) -> None:
    content = {"description": "what", "expectations": list(expectations), **document}
    (folder / f"{name}.yml").write_text(yaml.safe_dump(content), encoding="utf-8")


def test_common_checks_come_first(tmp_path: Path) -> None:
    write(tmp_path, COMMON_SUITE, NOT_NULL, parameters={"least": 200})
    write(tmp_path, "rfm_segments", RANGE, parameters={"days": {"threshold": "trend_window_days"}})
    (suite,) = load_suites(tmp_path, ["rfm_segments"])
    assert (suite.table, suite.segmentation) == ("rfm_segments", "rfm")
    assert [check.name for check in suite.checks] == ["expect_column_values_to_not_be_null", "expect_column_values_to_be_between"]
    assert [check.severity for check in suite.checks] == ["error", "error"]
    assert suite.parameters == {"least": 200, "days": Threshold("trend_window_days")}


def test_suites_come_in_the_order_of_the_tables(tmp_path: Path) -> None:
    for name in (COMMON_SUITE, "b_segments", "a_segments"):
        write(tmp_path, name, {**NOT_NULL, "name": f"expect_{name}"})
    assert [suite.table for suite in load_suites(tmp_path, ["b_segments", "a_segments"])] == ["b_segments", "a_segments"]


def test_a_segment_model_without_a_suite(tmp_path: Path) -> None:
    write(tmp_path, COMMON_SUITE, NOT_NULL)
    with pytest.raises(UnusableInput, match=r"No quality suite for the segment model rfm_segments: write .*rfm_segments\.yml"):
        load_suites(tmp_path, ["rfm_segments"])


def test_a_suite_for_no_segment_model(tmp_path: Path) -> None:
    write(tmp_path, COMMON_SUITE, NOT_NULL)
    write(tmp_path, "rfm_segments", RANGE)
    with pytest.raises(UnusableInput, match=r"rfm_segments\.yml is a quality suite for no segment model"):
        load_suites(tmp_path, [])


def test_the_common_suite_is_required(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match=r"has no every_segmentation\.yml"):
        load_suites(tmp_path, [])


@pytest.mark.parametrize("table", ["rfm", "_segments", "segments"])
def test_segment_models_are_named_after_their_segmentation(tmp_path: Path, table: str) -> None:
    write(tmp_path, COMMON_SUITE, NOT_NULL)
    with pytest.raises(UnusableInput, match=f"The segment model {table} must be named"):
        load_suites(tmp_path, [table])


def test_names_are_unique_within_a_suite(tmp_path: Path) -> None:
    write(tmp_path, COMMON_SUITE, NOT_NULL)
    write(tmp_path, "rfm_segments", NOT_NULL)
    with pytest.raises(UnusableInput, match="the name expect_column_values_to_not_be_null is used twice"):
        load_suites(tmp_path, ["rfm_segments"])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("not a mapping", "must be a mapping"),
        ({**NOT_NULL, "type": "expect_miracles"}, "unknown expectation type 'expect_miracles'; known are expect_"),
        ({**NOT_NULL, "type": "expect_column_values_to_match_regex"}, "unknown expectation type"),
        ({"column": "customer_id", "why": "because"}, "unknown expectation type None"),
        ({"type": NOT_NULL["type"], "why": "because"}, "needs a `column`"),
        ({"type": NOT_NULL["type"], "column": "customer_id"}, "say in `why`"),
        ({**NOT_NULL, "column": ["a", "b"]}, "needs a `column`"),
        ({**NOT_NULL, "name": "Customer present"}, "`name` must be lower_snake_case"),
        ({**NOT_NULL, "severity": "fatal"}, "`severity` must be error or warning, not 'fatal'"),
        ({**NOT_NULL, "colum": "x"}, "unknown key 'colum'; known are arguments, column"),
        ({**NOT_NULL, "arguments": {"mostly": 0.9}}, "unknown key 'mostly'"),
        ({**NOT_NULL, "arguments": [1]}, "`arguments` must be a mapping"),
        ({**NOT_NULL, "expected": 3}, "`expected` must be a text"),
        ({**RANGE, "arguments": {}}, "expects nothing"),
        ({**RANGE, "arguments": {"min_value": "$nothing"}}, r"\$nothing in min_value is bound by nothing; known are"),
        ({**RANGE, "arguments": {"min_value": "x $least"}}, "stands alone"),
        ({"type": "expect_column_values_to_be_in_set", "column": "a", "why": "because"}, "needs the argument value_set"),
        ({"type": "expect_no_rows", "arguments": {"query": "select 1"}, "why": "because"}, "needs `expected`, the rule in words"),
        ({"type": "expect_no_rows", "arguments": {"query": 1}, "expected": "no", "why": "because"}, "`query` must be one SQL select"),
        (
            {"type": "expect_no_rows", "arguments": {"query": "select ${gone}"}, "expected": "no", "why": "because"},
            r"\$gone in query is bound by nothing",
        ),
    ],
)
def test_what_is_not_understood_is_named(tmp_path: Path, entry: Any, message: str) -> None:
    write(tmp_path, COMMON_SUITE, NOT_NULL)
    write(tmp_path, "rfm_segments", RANGE, entry)
    with pytest.raises(UnusableInput, match=r"rfm_segments\.yml, expectation 2.*" + message):
        load_suites(tmp_path, ["rfm_segments"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("expectations: [", "is not readable as YAML"),
        ("- a list", "must hold `description` and `expectations`"),
        ("expectations: []", "has no `description`"),
        ("description: what", "has no `expectations`"),
        ("description: what\nexpectations: []", "expects nothing protects nothing"),
        ("description: what\nexpect: []", "unknown key 'expect'"),
        ("description: what\nparameters: 3\nexpectations: []", "`parameters` must be a mapping"),
        ("description: what\nparameters: {a: [1]}\nexpectations: []", r"parameter a: must be a number, a text or \{threshold"),
        ("description: what\nparameters: {table: x}\nexpectations: []", "parameter table is bound already"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / f"{COMMON_SUITE}.yml").write_text(text, encoding="utf-8")
    write(tmp_path, "rfm_segments", RANGE)
    with pytest.raises(UnusableInput, match=rf"every_segmentation\.yml.*{message}"):
        load_suites(tmp_path, ["rfm_segments"])


def test_references() -> None:
    assert references("select $table where day = ${as_of_date}x") == {"table", "as_of_date"}
    assert references(["$a", 1, "b"]) == {"a"}
    assert references(3) == set()
