"""The rule tables (seeds), read and judged before dbt runs: every mistake in one sentence, with its file and line.

What a table must be is what its YAML says: the types of its columns, the key that its test `grain` wants once, the columns it wants filled,
and the values that a test `accepted_values` allows. And a threshold that anybody asks for must be in the table: the macro `threshold` would
read null where it is not, and null decides nothing.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.files import read_yaml
from orchestration.mistakes import Mistake, refuse
from orchestration.settings import PROJECT_DIR

THRESHOLDS = "thresholds"
# Where thresholds are asked for by name: folder, kind of file, how.
ASKING = (
    ("models", "*.sql", r"(?:threshold|days_of)\('(\w+)'\)"),
    ("macros", "*.sql", r"(?:threshold|days_of)\('(\w+)'\)"),
    ("tests/dbt", "*.sql", r"(?:threshold|days_of)\('(\w+)'\)"),
    ("orchestration/prediction", "*.py", r"\.threshold\(\"(\w+)\"\)"),
    ("orchestration/report", "*.py", r"MINIMUM_GROUP_SIZE = \"(\w+)\""),
    ("orchestration/quality/suites", "*.yml", r"\{threshold: (\w+)\}"),
)


@dataclass(frozen=True)
class RuleTable:
    """What the YAML of a seed says about its file."""

    name: str
    column_types: Mapping[str, str]
    """{column: type}"""
    required: frozenset[str]
    """Columns that no row leaves empty."""
    key: tuple[str, ...]
    """Columns that together are in one row only."""
    accepted: Mapping[str, tuple[str, ...]]
    """{column: the values that it may have}"""


def require_sound_rule_tables() -> None:
    """Raise UnusableInput for the first mistake in any rule table."""
    refuse(check_rule_tables())


def check_rule_tables(project: Path = PROJECT_DIR) -> list[Mistake]:
    """What is wrong with the rule tables of a project, in the order of files and lines."""
    mistakes: list[Mistake] = []
    with duckdb.connect() as connection:
        for table in _rule_tables(project):
            mistakes += _check(project, table, connection)
    mistakes += _missing_thresholds(project)
    return sorted(mistakes, key=lambda mistake: (str(mistake.file), mistake.line))


def thresholds_asked_for(project: Path = PROJECT_DIR) -> dict[str, Path]:
    """Every threshold that is asked for by name, and a file that asks."""
    asked: dict[str, Path] = {}
    for folder, files, how in ASKING:
        for path in sorted((project / folder).rglob(files)):
            for name in re.findall(how, path.read_text(encoding="utf-8")):
                asked.setdefault(name, path.relative_to(project))
    return asked


def _missing_thresholds(project: Path) -> list[Mistake]:
    file = Path("seeds") / f"{THRESHOLDS}.csv"
    if not (project / file).is_file():
        return []  # told already
    with (project / file).open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        there = {row.get("name") for row in csv.DictReader(lines)}
    asked = thresholds_asked_for(project)
    return [Mistake(file, 1, f"no row has the name {name}, which {asked[name]} asks for: add it") for name in sorted(asked.keys() - there)]


def _rule_tables(project: Path) -> Iterator[RuleTable]:
    for path in sorted((project / "seeds").glob("*.yml")):
        for seed in read_yaml(path)["seeds"]:
            required: set[str] = set()
            key: tuple[str, ...] = ()
            for test in seed.get("data_tests", []):
                if "grain" in test:
                    arguments = test["grain"]["arguments"]
                    key = tuple(arguments["columns"])
                    required |= {*key, *arguments.get("required", [])} - {*arguments.get("nullable", [])}
            yield RuleTable(seed["name"], seed["config"]["column_types"], frozenset(required), key, _accepted_values(seed))


def _accepted_values(seed: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        column["name"]: tuple(str(value) for value in test["accepted_values"]["arguments"]["values"])
        for column in seed["columns"]
        for test in column.get("data_tests", [])
        # What holds for some rows only is dbt's to judge.
        if "accepted_values" in test and "where" not in test["accepted_values"].get("config", {})
    }


def _check(project: Path, table: RuleTable, connection: duckdb.DuckDBPyConnection) -> Iterator[Mistake]:
    file = Path("seeds") / f"{table.name}.csv"
    try:
        with (project / file).open(encoding="utf-8-sig", newline="") as text:
            lines = csv.reader(text)
            header = next(lines, [])
            if set(header) != set(table.column_types) or len(header) != len(table.column_types):
                yield Mistake(file, 1, f"the columns are {', '.join(header)}, and must be {', '.join(table.column_types)}: write these")
                return
            rows = list(_records(lines))
    except FileNotFoundError:
        yield Mistake(file, 1, "the file is missing, and a YAML file of seeds/ describes it: bring it back")
        return
    except (UnicodeDecodeError, csv.Error) as error:
        yield Mistake(file, 1, f"the file cannot be read as CSV in UTF-8 ({error}): save it as that")
        return
    for line, values in rows:
        if len(values) != len(header):
            hint = "put a value that holds a comma in quotes" if len(values) > len(header) else "leave no comma out"
            yield Mistake(file, line, f"{len(values)} values where the header names {len(header)} columns: {hint}")
    whole = [(line, values) for line, values in rows if len(values) == len(header)]
    read: dict[str, list[str | None]] = {}
    for place, column in enumerate(header):
        data_type, cells = table.column_types[column], [values[place] for _, values in whole]
        read[column] = _read_as(data_type, cells, connection)
        accepted = _read_as(data_type, table.accepted.get(column, ()), connection)
        for (line, _), cell, value in zip(whole, cells, read[column], strict=True):
            if not cell and column in table.required:
                yield Mistake(file, line, f"{column} is empty, and without it the row decides nothing: fill it in")
            elif value is None:
                yield Mistake(file, line, f"{column} is '{cell}', which is no {data_type}: correct it")
            elif cell and accepted and value not in accepted:
                yield Mistake(file, line, f"{column} is '{cell}', and must be one of {', '.join(table.accepted[column])}: correct it")
    yield from _repeated_keys(file, table, [line for line, _ in whole], read)


def _repeated_keys(file: Path, table: RuleTable, lines: Sequence[int], read: Mapping[str, Sequence[str | None]]) -> Iterator[Mistake]:
    """Every row whose key is in a row before it. A key with a value that is told already repeats nothing."""
    first_lines: dict[tuple[str | None, ...], int] = {}
    for line, *key in zip(lines, *(read[column] for column in table.key), strict=True):
        if any(value is None or (not value and column in table.required) for column, value in zip(table.key, key, strict=True)):
            continue
        first = first_lines.setdefault(tuple(key), line)
        if table.key and first != line:
            described = ", ".join(f"{column} {value or '(empty)'}" for column, value in zip(table.key, key, strict=True))
            yield Mistake(file, line, f"{described} is in line {first} already, and one row may have it: remove or correct one of them")


def _records(lines: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file, each with the line that it begins on; an empty line is none."""
    before = lines.line_num  # type: ignore[attr-defined]
    for values in lines:
        if values:
            yield before + 1, values
        before = lines.line_num  # type: ignore[attr-defined]


def _read_as(data_type: str, cells: Sequence[str], connection: duckdb.DuckDBPyConnection) -> list[str | None]:
    """The cells as DuckDB, which loads them, reads them as this type, in one spelling each; None where it cannot. Empty ones stay so."""
    if data_type == "string" or not cells:
        return list(cells)
    rows = connection.execute(
        f"select case when cell = '' then cell else cast(try_cast(cell as {data_type}) as varchar) end "
        "from (select unnest($1::varchar[]) as cell, generate_subscripts($1::varchar[], 1) as place) as cells order by place",
        [list(cells)],
    ).fetchall()
    return [value for (value,) in rows]
