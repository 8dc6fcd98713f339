"""How the gate asks and how it answers: every expectation type on a real DuckDB file, bound values, texts, and what it leaves behind."""

import datetime
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from orchestration.errors import UnusableInput
from orchestration.quality.expectations import judge_figures, show
from orchestration.quality.gate import CheckResult, audit
from orchestration.quality.suites import COMMON_SUITE, EXPECTATION_TYPES

AS_OF_DATE = datetime.date(2018, 1, 1)
TABLE = "toy_segments"


def make_database(folder: Path) -> Path:
    """Three customers, in a folder whose name would break a URL."""
    path = folder / "odd &%20$HOME ${x} #ü" / "ware'house.duckdb"
    path.parent.mkdir()
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema segments; create schema intermediate; create schema rules")
        connection.execute(
            """
            create table segments.toy_segments as
            select *, cast(null as integer) as nothing from (values ('a', date '2018-01-01', 'high', 1, 10.50::decimal(18, 2)),
                         ('b', date '2018-01-01', 'low', 2, 20.00::decimal(18, 2)),
                         ('c', date '2018-01-01', 'none', null, null))
                as rows(customer_id, as_of_date, segment, score, amount);
            create table intermediate.int_customers as select customer_id from segments.toy_segments;
            create table rules.segment_definitions as
            select distinct 'toy' as segmentation, segment from segments.toy_segments;
            create table rules.thresholds as select 'toy_limit' as name, 2.0000::decimal(18, 4) as value;
            """
        )
    return path


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return make_database(tmp_path)


def check(database: Path, *entries: dict[str, Any], parameters: dict[str, Any] | None = None, **arguments: Any) -> list[CheckResult]:
    suites = database.parent / "suites"
    suites.mkdir(exist_ok=True)
    first = {"type": "expect_column_values_to_not_be_null", "column": "customer_id", "why": "because", "name": "expect_first"}
    common = {"description": "what", "expectations": [first]}
    own = {"description": "what", "parameters": parameters or {}, "expectations": [{"why": "because", **entry} for entry in entries]}
    (suites / f"{COMMON_SUITE}.yml").write_text(yaml.safe_dump(common), encoding="utf-8")
    (suites / f"{TABLE}.yml").write_text(yaml.safe_dump(own), encoding="utf-8")
    return audit(database, AS_OF_DATE, suites, [TABLE], **arguments)[1:]


# Each type once as it passes and once as it fails, with what a person reads.
EVERY_TYPE = [
    ("expect_column_values_to_not_be_null", "segment", {}, True, "never null", "so in all 3 rows"),
    ("expect_column_values_to_not_be_null", "score", {}, False, "never null", "otherwise in 1 of 3 rows"),
    ("expect_column_values_to_be_null", "nothing", {}, True, "always null", "so in all 3 rows"),
    ("expect_column_values_to_be_null", "score", {}, False, "always null", "otherwise in 2 of 3 rows, such as 1, 2"),
    (
        "expect_column_values_to_be_in_set",
        "segment",
        {"value_set": ["high", "low", "none"]},
        True,
        "one of high, low, none",
        "so in all 3 rows",
    ),
    (
        "expect_column_values_to_be_in_set",
        "segment",
        {"value_set": ["high"]},
        False,
        "always high",
        "otherwise in 2 of 3 rows, such as low, none",
    ),
    ("expect_column_values_to_be_between", "score", {"min_value": 1, "max_value": 2}, True, "at least 1 and at most 2", "so in all 3 rows"),
    (
        "expect_column_values_to_be_between",
        "score",
        {"max_value": 2, "strict_max": True},
        False,
        "below 2",
        "otherwise in 1 of 3 rows, such as 2",
    ),
    ("expect_column_values_to_be_between", "amount", {"min_value": 11}, False, "at least 11", "otherwise in 1 of 3 rows, such as 10.5"),
    ("expect_column_proportion_of_unique_values_to_be_between", "segment", {"min_value": 1}, True, "at least 1", "1"),
    ("expect_column_proportion_of_unique_values_to_be_between", "as_of_date", {"min_value": 1}, False, "at least 1", "0.333"),
    ("expect_column_unique_value_count_to_be_between", "segment", {"min_value": 3}, True, "at least 3", "3"),
    ("expect_column_unique_value_count_to_be_between", "segment", {"max_value": 2}, False, "at most 2", "3"),
    ("expect_column_min_to_be_between", "score", {"min_value": 1}, True, "at least 1", "1"),
    ("expect_column_min_to_be_between", "score", {"min_value": 2}, False, "at least 2", "1"),
    ("expect_column_max_to_be_between", "score", {"max_value": 2}, True, "at most 2", "2"),
    ("expect_column_max_to_be_between", "score", {"max_value": 1}, False, "at most 1", "2"),
    ("expect_column_sum_to_be_between", "amount", {"min_value": 30, "max_value": 31}, True, "at least 30 and at most 31", "30.5"),
    ("expect_column_sum_to_be_between", "amount", {"min_value": 31}, False, "at least 31", "30.5"),
    ("expect_column_mean_to_be_between", "score", {"min_value": 1.5, "max_value": 1.5}, True, "1.5", "1.5"),
    ("expect_column_mean_to_be_between", "score", {"min_value": 2}, False, "at least 2", "1.5"),
    ("expect_table_row_count_to_equal", None, {"value": 3}, True, "3", "3"),
    ("expect_table_row_count_to_equal", None, {"value": "$customers"}, True, "3", "3"),
    ("expect_table_row_count_to_equal", None, {"value": 4}, False, "4", "3"),
    ("expect_table_row_count_to_be_between", None, {"min_value": 3}, True, "at least 3", "3"),
    ("expect_table_row_count_to_be_between", None, {"max_value": 2}, False, "at most 2", "3"),
    ("expect_no_rows", None, {"query": "select 1 from $table where score > 2"}, True, "in words", "0 rows"),
    ("expect_no_rows", "score", {"query": "select 1 from $table where score is null;"}, False, "in words", "1 rows"),
    (
        "expect_figures_within_bounds",
        None,
        {"query": "select 'rows' as figure, count(*) as observed, 3 as expected from $table"},
        True,
        "rows 3",
        "rows 3",
    ),
    (
        "expect_figures_within_bounds",
        None,
        {"query": "select 'rows' as figure, count(*) as observed, 4 as expected from $table"},
        False,
        "rows 4",
        "rows 3",
    ),
]


@pytest.fixture(scope="module")
def every_result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CheckResult]:
    """All of them in one suite and so in one validation, by name."""
    entries = []
    for number, (kind, column, arguments, *_) in enumerate(EVERY_TYPE):
        entry = {"name": f"expect_{number}", "type": kind, "arguments": arguments}
        entry |= {"column": column} if column else {}
        entry |= {"expected": "in words"} if kind == "expect_no_rows" else {}
        entries.append(entry)
    return {result.expectation: result for result in check(make_database(tmp_path_factory.mktemp("types")), *entries)}


@pytest.mark.parametrize("number", range(len(EVERY_TYPE)))
def test_every_type_answers(every_result: dict[str, CheckResult], number: int) -> None:
    _, column, _, passed, expected, observed = EVERY_TYPE[number]
    result = every_result[f"expect_{number}"]
    assert (result.error, result.passed, result.column, result.severity) == (None, passed, column, "error")
    assert result.expected == expected
    assert result.observed.startswith(observed)


def test_every_known_type_is_tried_both_ways() -> None:
    assert {(kind, passed) for kind, _, _, passed, *_ in EVERY_TYPE} == {(kind, way) for kind in EXPECTATION_TYPES for way in (True, False)}


def no_rows(query: str, **entry: Any) -> dict[str, Any]:
    return {"type": "expect_no_rows", "arguments": {"query": query}, "expected": "in words", **entry}


def test_values_are_bound_as_literals(database: Path) -> None:
    (result,) = check(
        database,
        no_rows(
            """
            select 1 where $as_of_date <> make_date(2018, 1, 1) or $segmentation <> 'toy'
                or $text <> replace('it''s {not} ''!table'' :x 12:30', '!', chr(36))
            or $number <> 1.5 or $limit <> 2 or $customers <> 3 or 'high' not in $declared_segments or len('{a}'::varchar) <> 3
            """,
            expected="at most $limit and $text",
        ),
        parameters={"text": "it's {not} '$table' :x 12:30", "number": 1.5, "limit": {"threshold": "toy_limit"}},
    )
    assert (result.error, result.passed) == (None, True)
    assert result.expected == "at most 2 and it's {not} '$table' :x 12:30"


def test_variables_of_the_night_override_parameters_and_thresholds(database: Path) -> None:
    results = check(
        database,
        no_rows("select 1 where $limit <> 7 or $number <> 8"),
        parameters={"number": 1, "limit": {"threshold": "toy_limit"}},
        variables={"toy_limit": 7, "number": 8, "as_of_date": "1999-01-01", "table": "x"},
    )
    assert [result.passed for result in results] == [True]


def test_a_threshold_that_is_not_there_is_an_error_of_the_checks_that_use_it(database: Path) -> None:
    gone, other = check(
        database,
        no_rows("select 1 where $limit is null", name="expect_gone", severity="warning"),
        no_rows("select 1 where false", name="expect_other"),
        parameters={"limit": {"threshold": "gone"}},
    )
    assert (gone.passed, gone.severity, gone.blocks) == (False, "error", True)
    assert gone.error is not None
    assert "rules.thresholds has no gone" in gone.error
    assert other.passed


def test_a_warning_does_not_block_but_what_raised_does(database: Path) -> None:
    warned, raised = check(
        database,
        no_rows("select 1", name="expect_warned", severity="warning"),
        no_rows("select 1 from nowhere", name="expect_raised", severity="warning"),
    )
    assert (warned.passed, warned.blocks, warned.error) == (False, False, None)
    assert (raised.passed, raised.blocks, raised.observed) == (False, True, "not evaluated")
    assert raised.error is not None
    assert "nowhere" in raised.error


def test_one_broken_check_leaves_the_others_their_answer(database: Path) -> None:
    """A wrong type of comparison breaks the query that Great Expectations bundles: that may cost answers, never invent a pass."""
    results = check(
        database,
        {"type": "expect_column_values_to_be_between", "column": "segment", "arguments": {"min_value": 1}, "name": "expect_broken"},
        no_rows("select 1 where false", name="expect_sound"),
    )
    broken, sound = results
    assert broken.error is not None
    assert sound.passed


def test_progress_is_reported(database: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    check(database, no_rows("select 1 where false"), on_suite=lambda *step: seen.append(step))
    assert seen == [(TABLE, 1, 1)]


def test_the_file_is_free_and_unchanged_afterwards(database: Path) -> None:
    before = database.read_bytes()
    check(database, no_rows("select 1"))
    assert database.read_bytes() == before
    with duckdb.connect(str(database)) as connection:  # read-write: impossible while anything else holds the file
        connection.execute("create table later (number integer)")


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="There is no working database"):
        check(tmp_path / "gone.duckdb", no_rows("select 1"))


def test_an_audit_is_quiet_and_leaves_nothing_behind(database: Path, tmp_path: Path) -> None:
    """No progress bar, no analytics, no leaked handles, nothing in the home or the temporary folder; nothing imported too early."""
    check(database, no_rows("select 1 where false"))
    script = f"""
import datetime, os, pathlib, sys
import orchestration.quality.gate, orchestration.quality.verdict, orchestration.publishing.serving
assert not any(name in sys.modules for name in ("great_expectations", "sqlalchemy", "duckdb_engine")), "imported too early"
from orchestration.quality.gate import audit
audit(pathlib.Path({str(database)!r}), datetime.date(2018, 1, 1), pathlib.Path({str(database.parent / "suites")!r}), ["{TABLE}"])
assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
"""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = {**os.environ, "HOME": str(scratch), "TMPDIR": str(scratch), "PYTHONPATH": str(Path.cwd())}
    environment.pop("GX_ANALYTICS_ENABLED", None)
    ran = subprocess.run([sys.executable, "-c", script], env=environment, cwd=scratch, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert list(scratch.iterdir()) == []


def figure(**columns: Any) -> dict[str, Any]:
    return {"figure": "sales", **columns}


@pytest.mark.parametrize(
    ("figures", "passed", "observed", "expected"),
    [
        ([figure(observed=Decimal("10.50"), expected=Decimal("10.5"))], True, "sales 10.5", "sales 10.5"),
        ([figure(observed=1, expected=None)], False, "sales 1", "sales null"),
        ([figure(observed=None, expected=None)], True, "sales null", "sales null"),
        ([figure(observed=5, lowest=5, highest=5)], True, "sales 5", "sales 5"),
        ([figure(observed=0.05, lowest=0.05, highest=None, unit="share")], True, "sales 5.00 %", "sales at least 5.00 %"),
        ([figure(observed=6, lowest=None, highest=5)], False, "sales 6", "sales at most 5"),
        ([figure(observed=4, lowest=5, highest=7)], False, "sales 4", "sales 5 to 7"),
        ([figure(observed=None, lowest=None, highest=5)], False, "sales null", "sales at most 5"),
        ([figure(observed=1, lowest=None, highest=None)], True, "sales 1", "sales any"),
        # Only what failed is named when something failed.
        ([figure(observed=1, expected=1), {"figure": "orders", "observed": 1, "expected": 2}], False, "orders 1", "orders 2"),
        ([figure(observed=9, expected=1, not_judged_because="too few")], True, "not judged: too few", "sales 1"),
        (
            [figure(observed=9, expected=1, not_judged_because="too few"), {"figure": "orders", "observed": 2, "expected": 2}],
            True,
            "not judged: too few; orders 2",
            "orders 2",
        ),
    ],
)
def test_figures(figures: list[dict[str, Any]], passed: bool, observed: str, expected: str) -> None:
    judged = judge_figures(figures)
    assert judged == {"success": passed, "result": {"observed_value": observed, "details": {"expected": expected}}}


def test_no_figure_proves_nothing() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        judge_figures([])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1469307, "1,469,307"),
        (Decimal("4596039.58"), "4,596,039.58"),
        (Decimal("28.0000"), "28"),
        (Decimal("100"), "100"),
        (1.0, "1"),
        (0.9999998, "0.9999998"),
        (datetime.date(2018, 1, 1), "2018-01-01"),
        ("none", "none"),
    ],
)
def test_values_as_people_read_them(value: Any, text: str) -> None:
    assert show(value) == text
