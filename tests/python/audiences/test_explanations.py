"""Explanations agree with memberships: for every customer and audience, what is explained and who is in say the same."""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml

from orchestration.audiences import explanation
from orchestration.audiences.definitions import read_definitions
from orchestration.audiences.explanation import conditions_of
from orchestration.audiences.macros import Macros
from orchestration.settings import Settings
from tests.python.audiences.world import build_world, connect, macros_of, write_world

DEFINITIONS = """
falling:
  members:
    all:
      - {feature: country, is_not: FR, unknown: excluded}
      - any:
          - {done: purchase, last: 30 days}
          - not: {segment: rfm, is: lost}
lost:
  members: {all: [{segment: rfm, is: lost}, {not: {audience: falling}}]}
"""


@pytest.fixture
def explained() -> Iterator[duckdb.DuckDBPyConnection]:
    """Facts, members and explanations of three customers, by the real macros."""
    everybody = {
        "met": {"country": "DE", "rfm": "champions"},
        "unknown": {"country": None, "rfm": "champions"},
        "not met": {"country": "FR", "rfm": "lost"},
    }
    world = build_world(date(2026, 1, 1), "UTC", everybody, definitions=yaml.safe_load(DEFINITIONS))
    with connect() as connection:
        write_world(connection, world, {})
        macros = macros_of(world)
        definitions = macros.call("audience_definitions")
        plan = macros.call("audience_plan", definitions)
        connection.execute(f"create table audience_facts as {macros.call('audience_facts_query', plan)}")
        queries = [macros.call("audience_explanation_query", name, definitions, "audience_facts") for name in definitions]
        connection.execute(f"create view audience_explanations as {' union all '.join(queries)}")
        yield connection


def test_each_condition_says_what_was_seen_and_what_became_of_it(explained: duckdb.DuckDBPyConnection) -> None:
    rows = explained.execute(
        "select customer_id, condition_path, value_seen, outcome from audience_explanations where audience_id = 'falling' order by all"
    ).fetchall()
    assert [row for row in rows if row[0] == "met"] == [
        ("met", "1", None, "met"),
        ("met", "1.1", "DE", "met"),
        ("met", "1.2", None, "met"),
        ("met", "1.2.1", "0", "not met"),
        ("met", "1.2.2", None, "met"),
        ("met", "1.2.2.1", "champions", "not met"),
    ]
    assert ("unknown", "1.1", None, "unknown") in rows
    assert ("unknown", "1", None, "unknown") in rows
    assert ("not met", "1", None, "not met") in rows


def test_the_words_are_the_author_s(explained: duckdb.DuckDBPyConnection) -> None:
    texts = explained.execute("select distinct condition_text from audience_explanations where audience_id = 'falling'").fetchall()
    assert ("feature country, is_not FR, unknown excluded",) in texts
    assert ("done purchase, last 30 days",) in texts


def test_paths_are_counted_alike_in_sql_and_in_python() -> None:
    shipped = read_definitions()
    texts = {definition.name: definition.text for definition in shipped}
    macros = Macros({"as_of_date": "2026-01-01", "business_timezone": "UTC"}, lambda model: model, definitions=texts)
    definitions = macros.call("audience_definitions")
    for definition in shipped:
        paths = [condition["path"] for condition in macros.call("audience_explained", definition.name, definitions)]
        assert paths == [path for path, _ in conditions_of(definition.content["members"])], definition.name


class ABuild:
    """A build that knows what became of conditions nested as deep as they may be written, and nothing else."""

    as_of_date = date(2026, 1, 1)

    def query(self, sql: str, *_: str) -> list[tuple[str | None, ...]]:
        if "audience_explanations" in sql:
            paths = ("1", "1.1", "1.1.1", "1.1.1.1", "1.1.1.1.1")
            return [(path, "feature country, is DE", None, "not met") for path in paths]
        return [("1",)] if "int_customers" in sql else []

    def macros(self, _: list[explanation.Definition]) -> "ABuild":
        return self

    def call(self, *_: object) -> list[str]:
        return []


def test_a_condition_keeps_its_distance_from_its_path_however_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    members = {"not": {"not": {"not": {"not": {"feature": "country", "is": "DE"}}}}}
    deep = explanation.Definition("deep", Path("deep.sql"), "", {"members": members})
    monkeypatch.setattr(explanation, "read_definitions", lambda: [deep])
    monkeypatch.setattr(explanation, "open_build", lambda _: nullcontext(ABuild()))
    lines = explanation.explain_audience(Settings(home=Path("/nowhere")), "c", "deep").splitlines()
    assert lines[2:] == [
        "  ✗ 1       feature country, is DE",
        "  ✗ 1.1     feature country, is DE",
        "  ✗ 1.1.1   feature country, is DE",
        "  ✗ 1.1.1.1 feature country, is DE",
        "  ✗ 1.1.1.1.1 feature country, is DE",
    ]


def test_members_of_a_group_are_told_as_not_final() -> None:
    assert explanation._members(12, 400, {"priority": {"group": "retention", "rank": 1}}).endswith(
        "12 of 400 customers, before its priority group"
    )
    assert explanation._members(12, 400, {}).endswith("12 of 400 customers")
