"""The reviewed suites: what is expected of every segment output, read from YAML and validated. No Great Expectations here.

One file holds what every segmentation must hold (`every_segmentation.yml`), one file per segment table (`<table>.yml`)
what only that one must. A file looks like this:

    description: What this suite protects.
    parameters:                      # optional: values for `$name`
      minimum_customers: 200                           # a number or a text
      window_days: {threshold: trend_window_days}      # or the value of that name in the table of thresholds
    expectations:
      - name: expect_scores_from_one_to_five           # what people read; default: the type
        type: expect_column_values_to_be_between       # one of EXPECTATION_TYPES
        column: recency_score
        arguments: {min_value: 1, max_value: 5}        # the type's own
        expected: one to five                          # optional text; required for expect_no_rows
        severity: error                                # or warning; default error
        why: A score outside this range names no segment.

`$name` in an argument, a query or `expected` is bound by code: `$table` (the quoted table), `$as_of_date`, `$segmentation`,
`$customers` (rows of the spine), `$declared_segments`, and the suite's own parameters, which a dbt variable of the same name
overrides (as in the macro `threshold`). In a query a value is bound as a quoted literal; nothing else is ever pasted into SQL.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from orchestration.errors import UnusableInput
from orchestration.files import read_yaml

COMMON_SUITE = "every_segmentation"
TABLE_SUFFIX = "_segments"
# Outputs that are no segmentation: what every segmentation must hold is not asked of them.
OTHER_OUTPUTS = frozenset({"audience_lift", "audience_memberships"})
SEVERITIES = ("error", "warning")
BOUND_BY_CODE = frozenset({"table", "as_of_date", "segmentation", "customers", "declared_segments"})
REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True)
class ExpectationType:
    """What a type takes: whether it is about one column, its required and its optional arguments."""

    takes_column: bool
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


_RANGE = frozenset({"min_value", "max_value", "strict_min", "strict_max"})

# Types proved on DuckDB by a test each. Regex, like, strftime, JSON schema, increasing and quantiles do not work there: write
# expect_no_rows instead.
EXPECTATION_TYPES: Mapping[str, ExpectationType] = MappingProxyType(
    {
        "expect_column_values_to_not_be_null": ExpectationType(takes_column=True),
        "expect_column_values_to_be_null": ExpectationType(takes_column=True),
        "expect_column_values_to_be_in_set": ExpectationType(takes_column=True, required=frozenset({"value_set"})),
        "expect_column_values_to_be_between": ExpectationType(takes_column=True, optional=_RANGE),
        "expect_column_proportion_of_unique_values_to_be_between": ExpectationType(takes_column=True, optional=_RANGE),
        "expect_column_unique_value_count_to_be_between": ExpectationType(takes_column=True, optional=_RANGE),
        "expect_column_min_to_be_between": ExpectationType(takes_column=True, optional=_RANGE),
        "expect_column_max_to_be_between": ExpectationType(takes_column=True, optional=_RANGE),
        "expect_column_sum_to_be_between": ExpectationType(takes_column=True, optional=_RANGE),
        "expect_column_mean_to_be_between": ExpectationType(takes_column=True, optional=_RANGE),
        "expect_table_row_count_to_equal": ExpectationType(takes_column=False, required=frozenset({"value"})),
        "expect_table_row_count_to_be_between": ExpectationType(takes_column=False, optional=frozenset({"min_value", "max_value"})),
        "expect_no_rows": ExpectationType(takes_column=False, required=frozenset({"query"})),
        "expect_figures_within_bounds": ExpectationType(takes_column=False, required=frozenset({"query"})),
    }
)


@dataclass(frozen=True)
class Threshold:
    """A parameter whose value stands in the table of thresholds, under this name."""

    name: str


@dataclass(frozen=True)
class Check:
    """One expectation as declared, its `$names` not yet bound."""

    name: str
    type: str
    column: str | None
    arguments: Mapping[str, Any]
    expected: str | None
    severity: str
    why: str


@dataclass(frozen=True)
class Suite:
    """All checks of one segment table: the common ones first, then its own."""

    table: str
    segmentation: str
    checks: tuple[Check, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)


def load_suites(suites_dir: Path, segment_tables: Iterable[str]) -> list[Suite]:
    """The suites of `segment_tables`, in that order. Pure but for reading the files.

    Raises UnusableInput, naming file and place, when a file is not as described above, when a segment table has no
    suite, and when a suite belongs to no segment table: neither may be forgotten.
    """
    tables = list(segment_tables)
    files = {path.stem: path for path in sorted(suites_dir.glob("*.yml"))}
    if COMMON_SUITE not in files:
        raise UnusableInput(f"{suites_dir} has no {COMMON_SUITE}.yml: write the expectations that every segment table must meet there.")
    for table in tables:
        if table not in OTHER_OUTPUTS and (not table.endswith(TABLE_SUFFIX) or table == TABLE_SUFFIX):
            raise UnusableInput(f"The segment model {table} must be named <segmentation>{TABLE_SUFFIX}: rename it.")
    if missing := sorted(set(tables) - set(files)):
        raise UnusableInput(f"No quality suite for the segment model {missing[0]}: write {suites_dir / (missing[0] + '.yml')}.")
    if orphans := sorted(set(files) - set(tables) - {COMMON_SUITE}):
        raise UnusableInput(f"{files[orphans[0]]} is a quality suite for no segment model: remove it or name it after its model.")
    common_parameters, common = _read(files[COMMON_SUITE])
    suites = []
    for table in tables:
        shared = () if table in OTHER_OUTPUTS else common
        parameters, checks = _read(files[table], common_parameters)
        names = [check.name for check in (*shared, *checks)]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise UnusableInput(f"{files[table]}: the name {repeated[0]} is used twice (with {COMMON_SUITE}.yml): give each check its own.")
        suites.append(Suite(table, table.removesuffix(TABLE_SUFFIX), (*shared, *checks), parameters))
    return suites


def _read(path: Path, inherited: Mapping[str, Any] = MappingProxyType({})) -> tuple[dict[str, Any], tuple[Check, ...]]:
    try:
        document = read_yaml(path)
    except yaml.YAMLError as error:
        raise UnusableInput(f"{path} is not readable as YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(document, dict):
        raise UnusableInput(f"{path} must hold `description` and `expectations`.")
    _only_keys(document, {"description", "parameters", "expectations"}, str(path))
    if not _is_text(document.get("description")):
        raise UnusableInput(f"{path} has no `description`: say in a sentence what the suite protects.")
    declared = document.get("parameters") or {}
    if not isinstance(declared, dict):
        raise UnusableInput(f"{path}: `parameters` must be a mapping.")
    parameters = {name: _parameter(value, f"{path}, parameter {name}") for name, value in declared.items()}
    if taken := sorted(set(parameters) & (BOUND_BY_CODE | set(inherited))):
        raise UnusableInput(f"{path}: the parameter {taken[0]} is bound already: choose another name.")
    parameters = {**inherited, **parameters}
    expectations = document.get("expectations")
    if not isinstance(expectations, list) or not expectations:
        raise UnusableInput(f"{path} has no `expectations`: a suite that expects nothing protects nothing.")
    return parameters, tuple(_check(entry, f"{path}, expectation {number}", parameters) for number, entry in enumerate(expectations, 1))


def _parameter(value: Any, where: str) -> int | float | str | Threshold:
    if isinstance(value, dict) and list(value) == ["threshold"] and _is_text(value["threshold"]):
        return Threshold(value["threshold"])
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return value
    raise UnusableInput(f"{where}: must be a number, a text or {{threshold: its name}}, not {value!r}.")


def _check(entry: Any, where: str, parameters: Mapping[str, Any]) -> Check:
    if not isinstance(entry, dict):
        raise UnusableInput(f"{where}: must be a mapping with at least `type` and `why`.")
    _only_keys(entry, {"name", "type", "column", "arguments", "expected", "severity", "why"}, where)
    kind: Any = entry.get("type")
    if kind not in EXPECTATION_TYPES:
        raise UnusableInput(f"{where}: unknown expectation type {kind!r}; known are {', '.join(EXPECTATION_TYPES)}.")
    takes = EXPECTATION_TYPES[kind]
    name: Any = entry.get("name", kind)
    column, expected = entry.get("column"), entry.get("expected")
    if not _is_text(name) or not re.fullmatch(r"expect_[a-z0-9_]+", name):
        raise UnusableInput(f"{where}: `name` must be lower_snake_case and begin with expect_, not {name!r}.")
    where = f"{where} ({name})"
    if not _is_text(entry.get("why")):
        raise UnusableInput(f"{where}: say in `why` what goes wrong when this does not hold.")
    if takes.takes_column and not _is_text(column):
        raise UnusableInput(f"{where}: {kind} needs a `column`.")
    if column is not None and not _is_text(column):
        raise UnusableInput(f"{where}: `column` must be the name of one column, not {column!r}.")
    severity = entry.get("severity", "error")
    if severity not in SEVERITIES:
        raise UnusableInput(f"{where}: `severity` must be error or warning, not {severity!r}.")
    if expected is not None and not _is_text(expected):
        raise UnusableInput(f"{where}: `expected` must be a text.")
    if kind == "expect_no_rows" and expected is None:
        raise UnusableInput(f"{where}: expect_no_rows needs `expected`, the rule in words.")
    arguments = entry.get("arguments") or {}
    if not isinstance(arguments, dict):
        raise UnusableInput(f"{where}: `arguments` must be a mapping.")
    if missing := sorted(takes.required - set(arguments)):
        raise UnusableInput(f"{where}: {kind} needs the argument {missing[0]}.")
    _only_keys(arguments, takes.required | takes.optional, f"{where}, arguments of {kind}")
    if takes.optional and not takes.required and not arguments:
        raise UnusableInput(f"{where}: {kind} without {' or '.join(sorted(takes.optional))} expects nothing.")
    for argument, value in arguments.items():
        if argument == "query" and not _is_text(value):
            raise UnusableInput(f"{where}: `query` must be one SQL select.")
        if argument != "query" and any(references(text) and not REFERENCE.fullmatch(text) for text in _texts(value)):
            raise UnusableInput(f"{where}: outside of a query a $name stands alone, not inside the text {value!r}.")
    for place, value in {**arguments, "expected": expected}.items():
        if unknown := sorted(references(value) - BOUND_BY_CODE - set(parameters)):
            known = ", ".join(sorted(BOUND_BY_CODE | set(parameters)))
            raise UnusableInput(f"{where}: ${unknown[0]} in {place} is bound by nothing; known are {known}.")
    return Check(name, kind, column, MappingProxyType(dict(arguments)), expected, severity, entry["why"])


def references(value: Any) -> set[str]:
    """The `$names` in a text, or in the texts of a list."""
    return {braced or plain for text in _texts(value) for braced, plain in REFERENCE.findall(text)}


def _texts(value: Any) -> list[str]:
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]


def _only_keys(given: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    if unknown := sorted(str(key) for key in given if key not in set(known)):
        raise UnusableInput(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}.")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
