"""When a night builds the working tables anew: exactly when what defines them is another than when they were built."""

import copy
from pathlib import Path
from typing import Any

import pytest

from orchestration.transform.manifest import rule_tables
from orchestration.transform.rules import (
    difference,
    forget_rules,
    remember_rule_tables,
    remember_rules,
    rule_tables_are_loaded,
    rules_of_working_tables,
    why_to_build_anew,
)


def node(kind: str, name: str, reads: list[str], **config: Any) -> dict[str, Any]:
    return {
        "resource_type": kind,
        "name": name,
        "checksum": {"name": "sha256", "checksum": f"text of {name}"},
        "config": {"materialized": "table", "full_refresh": None, "meta": {}, **config},
        "depends_on": {"nodes": reads, "macros": []},
    }


def a_manifest() -> dict[str, Any]:
    """Raw table → staging → incremental roll-up (with a seed) → segments; and a history that is never rebuilt."""
    return {
        "metadata": {"project_name": "shop", "dbt_version": "1.11.16"},
        "sources": {"source.t": {"resource_type": "source", "name": "t", "columns": {"id": {"data_type": "string", "description": "Id"}}}},
        "nodes": {
            "model.staging": node("model", "staging", ["source.t"], materialized="view"),
            "model.roll_up": node("model", "roll_up", ["model.staging", "seed.limits"], materialized="incremental", unique_key="id"),
            "seed.limits": node("seed", "limits", []),
            "seed.labels": node("seed", "labels", []),
            "model.segments": node("model", "segments", ["model.roll_up", "seed.labels"]),
            "model.log": node("model", "log", ["model.segments"], materialized="incremental", full_refresh=False),
        },
        "macros": {
            "macro.ours": {"name": "ours", "package_name": "shop", "macro_sql": "one"},
            "macro.dbt": {"name": "theirs", "package_name": "dbt", "macro_sql": "one"},
        },
    }


def changed(manifest: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the manifest with one value replaced."""
    other = copy.deepcopy(manifest)
    *folders, last = path.split("/")
    inner = other
    for folder in folders:
        inner = inner[folder]
    inner[last] = value
    return other


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nodes/model.roll_up/checksum/checksum", "model roll_up has changed"),
        ("nodes/model.roll_up/config/unique_key", "model roll_up has changed"),
        ("nodes/model.staging/checksum/checksum", "model staging has changed"),
        ("nodes/seed.limits/checksum/checksum", "seed limits has changed"),
        ("sources/source.t/columns/id/data_type", "raw table t has changed"),
        ("macros/macro.ours/macro_sql", "macro ours has changed"),
        ("metadata/dbt_version", "version of dbt has changed"),
    ],
)
def test_what_defines_working_tables_is_noticed(path: str, reason: str) -> None:
    before = rules_of_working_tables(a_manifest(), {})
    assert difference(before, rules_of_working_tables(changed(a_manifest(), path, "another"), {})) == reason


@pytest.mark.parametrize(
    "path",
    [
        "nodes/model.segments/checksum/checksum",
        "nodes/model.log/checksum/checksum",
        "nodes/seed.labels/checksum/checksum",
        "nodes/model.roll_up/config/meta",
        "sources/source.t/columns/id/description",
        "macros/macro.dbt/macro_sql",
    ],
)
def test_what_every_night_builds_anyway_is_not(path: str) -> None:
    before = rules_of_working_tables(a_manifest(), {})
    assert difference(before, rules_of_working_tables(changed(a_manifest(), path, "another"), {})) is None


def test_variables_are_rules_but_for_those_of_the_night() -> None:
    def rules(**variables: Any) -> dict[str, str]:
        return rules_of_working_tables(a_manifest(), variables)

    before = rules(business_timezone="UTC")
    assert difference(before, rules(business_timezone="Europe/Berlin")) == "variable business_timezone has changed"
    assert difference(before, rules(business_timezone="UTC", loyalty_new_days=30)) == "variable loyalty_new_days is new"
    assert difference(before, rules(business_timezone="UTC", rfm_monetary="mean")) == "variable rfm_monetary has changed"
    nightly = {"as_of_date": "2026-01-01", "build_id": "b", "as_known_at": "2026-01-01", "history_correction_days": 3}
    assert difference(before, rules(business_timezone="UTC", **nightly)) is None


def test_a_new_and_a_removed_rule_are_differences_and_only_the_first_are_named() -> None:
    before = {"a": "1", "b": "1", "c": "1", "d": "1"}
    assert difference(before, {"b": "1", "c": "1", "d": "1", "e": "1"}) == "e is new, a is gone"
    assert difference(before, {"a": "2", "b": "2", "c": "2", "d": "2"}) == "a has changed, b has changed, c has changed and 1 more"


def test_working_tables_are_built_anew_until_it_is_known_by_what_they_were_built(tmp_path: Path) -> None:
    database, rules = tmp_path / "warehouse.duckdb", {"model a": "1"}
    assert why_to_build_anew(database, rules, asked=False) == "the working tables have not been built whole yet"
    remember_rules(database, rules)
    assert why_to_build_anew(database, rules, asked=False) is None
    assert why_to_build_anew(database, rules, asked=True) == "asked for"
    assert why_to_build_anew(database, {"model a": "2"}, asked=False) == "model a has changed"
    (tmp_path / "built_by.json").write_text("{", encoding="utf-8")
    assert "cannot be read" in str(why_to_build_anew(database, rules, asked=False))
    forget_rules(database)
    forget_rules(database)
    assert why_to_build_anew(database, rules, asked=False) == "the working tables have not been built whole yet"


def test_a_lost_database_takes_its_rules_with_it(tmp_path: Path) -> None:
    from datetime import date

    from orchestration.ingest.source import Source
    from orchestration.night import NightKeeper
    from orchestration.settings import Settings

    settings = Settings(home=tmp_path)
    database = settings.database("shop")
    keeper = NightKeeper(settings, Source(name="shop", folder=Path("/nowhere")), holds_lock=True)
    keeper.open_build(date(2026, 1, 1))
    remember_rules(database, {"model a": "1"})
    keeper.open_build(date(2026, 1, 2))
    assert why_to_build_anew(database, {"model a": "1"}, asked=False) is None
    database.unlink()
    keeper.open_build(date(2026, 1, 3))
    assert why_to_build_anew(database, {"model a": "1"}, asked=False) is not None


def test_rule_tables_are_loaded_when_they_are_what_was_loaded_last(tmp_path: Path) -> None:
    """Nothing loaded, loaded, changed, broken off, and a working database that is gone."""
    database = tmp_path / "warehouse.duckdb"
    tables = rule_tables(a_manifest())
    assert set(tables) == {"limits", "labels"}
    assert not rule_tables_are_loaded(database, tables)
    remember_rule_tables(database, tables)
    assert rule_tables_are_loaded(database, tables)
    changed = a_manifest()
    changed["nodes"]["seed.labels"]["checksum"]["checksum"] = "another text"
    assert not rule_tables_are_loaded(database, rule_tables(changed))
    remember_rule_tables(database, {})
    assert not rule_tables_are_loaded(database, tables)
    database.unlink()
    assert not rule_tables_are_loaded(database, tables)
