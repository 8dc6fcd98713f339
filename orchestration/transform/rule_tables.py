"""The rule tables (seeds), read and judged before dbt runs: every mistake in one sentence, with its file and line.

What a table must be is what its YAML says: the types of its columns, and the columns that its test `grain` wants filled. And a threshold
that anybody asks for must be in the table: the macro `threshold` would read null where it is not, and null decides nothing.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

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
            for test in seed.get("data_tests", []):
                if "grain" in test:
                    arguments = test["grain"]["arguments"]
                    required |= {*arguments["columns"], *arguments.get("required", [])} - {*arguments.get("nullable", [])}
            yield RuleTable(seed["name"], seed["config"]["column_types"], frozenset(required))


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
    for place, column in enumerate(header):
        for line, values in whole:
            if column in table.required and not values[place]:
                yield Mistake(file, line, f"{column} is empty, and without it the row decides nothing: fill it in")
        for line, value in _of_another_type([(line, values[place]) for line, values in whole], table.column_types[column], connection):
            yield Mistake(file, line, f"{column} is '{value}', which is no {table.column_types[column]}: correct it")


def _records(lines: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file, each with the line that it begins on; an empty line is none."""
    before = lines.line_num  # type: ignore[attr-defined]
    for values in lines:
        if values:
            yield before + 1, values
        before = lines.line_num  # type: ignore[attr-defined]


def _of_another_type(values: list[tuple[int, str]], data_type: str, connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str]]:
    """The values that DuckDB, which loads them, cannot read as this type, each with its line."""
    if data_type == "string":
        return []
    return connection.execute(
        "select line, value from (select unnest($1) as line, unnest($2) as value) as cells "
        f"where value <> '' and try_cast(value as {data_type}) is null",
        [[line for line, _ in values], [value for _, value in values]],
    ).fetchall()
