"""The numbers behind the synthetic retailer: `parameters.yml` read, checked and set as variables of a DuckDB session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from orchestration.files import read_yaml
from orchestration.sql import quote_literal

PARAMETERS_FILE = Path(__file__).parent / "parameters.yml"
SLOTS = 100


def choice_slots(name: str, percentages: dict[str, int]) -> list[str]:
    """One option for each percent, so that a uniform draw picks by its position.

    Raises:
        ValueError: the percentages are not whole numbers that add up to 100.
    """
    slots = [str(option) for option, percentage in percentages.items() for _ in range(percentage)]
    if len(slots) != SLOTS:
        raise ValueError(f"{PARAMETERS_FILE.name}: the percentages of `{name}` add up to {len(slots)}; make them add up to {SLOTS}.")
    return slots


def session_variables(parameters: dict[str, dict[str, Any]]) -> dict[str, tuple[str, list[Any]]]:
    """Each variable's name with the SQL expression that makes its value and the values bound to it.

    Numbers by group become a map; a choice becomes 100 slots, a choice by group 100 for each of its `groups_…`.
    """
    variables: dict[str, tuple[str, list[Any]]] = {}
    for name, number in parameters["numbers"].items():
        variables[f"parameter_{name}"] = ("?", [number])
    for name, groups in parameters["by_group"].items():
        variables[f"parameter_{name}"] = ("map(?, ?)", [list(groups), [float(value) for value in groups.values()]])
    for name, percentages in parameters["choices"].items():
        variables[f"choice_{name}"] = ("?", [choice_slots(name, percentages)])
    for name, groups in parameters["choices_given"].items():
        slots = [slot for group, percentages in groups.items() for slot in choice_slots(f"{name}: {group}", percentages)]
        variables[f"groups_{name}"] = ("?", [list(groups)])
        variables[f"choice_{name}"] = ("?", [slots])
    return variables


def load_parameters() -> dict[str, dict[str, Any]]:
    """`parameters.yml` as written: numbers, by_group, choices, choices_given."""
    parameters: dict[str, dict[str, Any]] = read_yaml(PARAMETERS_FILE)
    return parameters


def set_parameters(connection: duckdb.DuckDBPyConnection) -> None:
    """Set every parameter as a session variable (`parameter_…`, `choice_…`, `groups_…`), read in SQL through the macros of random.sql."""
    for name, (expression, values) in session_variables(load_parameters()).items():
        connection.execute(f"set variable {name} = {expression}", values)


def write_parameters(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Write the parameters as one Parquet file: `parameter`, `by_group` (null where there is one value for all), `option`, `value`.

    The value is the number itself, or the percentage of an option.
    """
    parameters = load_parameters()
    rows: list[tuple[str, str | None, str | None, float]] = []
    rows += [(name, None, None, float(value)) for name, value in parameters["numbers"].items()]
    rows += [(name, group, None, float(value)) for name, groups in parameters["by_group"].items() for group, value in groups.items()]
    rows += [(name, None, option, float(value)) for name, options in parameters["choices"].items() for option, value in options.items()]
    rows += [
        (name, group, option, float(value))
        for name, groups in parameters["choices_given"].items()
        for group, options in groups.items()
        for option, value in options.items()
    ]
    connection.execute('create or replace temp table parameters (parameter varchar, by_group varchar, "option" varchar, value double)')
    connection.executemany("insert into parameters values (?, ?, ?, ?)", rows)
    connection.execute(f"copy (select * from parameters order by all) to {quote_literal(str(file))} (format parquet)")
