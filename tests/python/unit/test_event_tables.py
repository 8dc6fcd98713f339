"""The macro event_tables must know every column of the raw contract: one that it left out could change without outdating any day."""

from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

PROJECT = Path(__file__).parents[3]
# Who or what somebody or something is, not what happened.
NOT_EVENTS = {"customers", "products", "stores", "campaigns"}


def event_tables() -> dict[str, dict[str, Any]]:
    """What the macro returns."""
    returned: list[dict[str, dict[str, Any]]] = []
    macros = (PROJECT / "macros" / "event_tables.sql").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=False)  # noqa: S701 - no page is made
    environment.globals["return"] = lambda value: returned.append(value) or ""
    environment.from_string(macros + "{{ event_tables() }}").render()
    (found,) = returned
    return found


def contract() -> dict[str, list[str]]:
    document = yaml.safe_load((PROJECT / "models" / "staging" / "_sources.yml").read_text(encoding="utf-8"))
    return {table["name"]: [column["name"] for column in table["columns"]] for table in document["sources"][0]["tables"]}


def test_every_table_of_events_is_there() -> None:
    assert set(event_tables()) == set(contract()) - NOT_EVENTS


@pytest.mark.parametrize("table", sorted(set(contract()) - NOT_EVENTS))
def test_every_column_counts_from_some_moment(table: str) -> None:
    about = event_tables()[table]
    named = [*about["key"], *(column for moment in about["moments"] for column in moment["columns"])]
    assert len(named) == len(set(named))
    assert set(named) == set(contract()[table]) - {"updated_at"}
    assert about["customer"] is None or about["customer"] in named
