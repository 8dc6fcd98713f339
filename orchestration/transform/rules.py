"""What the working tables were built by, so that a night knows when what it adds to was built by something else.

Working tables that only get what is new (incremental models) would keep the rows of yesterday's rules. So what defines them is written
down beside the database when they were built whole, compared before the next night, and a night that finds a difference builds them
anew. History is not among them: it is never rebuilt.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from orchestration import working_database
from orchestration.files import write_json
from orchestration.ingest.source import project_variables
from orchestration.transform.manifest import checksum

RULES_FILE = "built_by.json"
NAMED_CHANGES = 3
# What a night sets for itself, and what no model reads.
NOT_RULES = frozenset({"as_of_date", "build_id", "as_known_at", "history_correction_days"})
# Parts of a node's configuration that change no row.
NOT_CONFIGURATION = frozenset({"meta", "tags", "docs", "group", "access"})

Rules = Mapping[str, str]


def rules_of_working_tables(manifest: Mapping[str, Any], source_variables: Mapping[str, Any]) -> dict[str, str]:
    """What defines the rows of incremental working tables, as `kind name` → checksum.

    Their models with all that these read (other models, seeds, the raw contract), every macro of the project, every dbt variable, and the
    versions of dbt and DuckDB.
    """
    rules = {f"{kind} {name}": rule for kind, name, rule in map(_node_rule, _ancestors(manifest))}
    project = manifest["metadata"]["project_name"]
    for macro in manifest["macros"].values():
        if macro["package_name"] == project:
            rules[f"macro {macro['name']}"] = checksum(macro["macro_sql"])
    for name, value in {**project_variables(), **source_variables}.items():
        if name not in NOT_RULES:
            rules[f"variable {name}"] = json.dumps(value)
    rules["version of dbt"] = manifest["metadata"]["dbt_version"]
    rules["version of DuckDB"] = duckdb.__version__
    return rules


def why_to_build_anew(database: Path, rules: Rules, *, asked: bool) -> str | None:
    """Why the working tables have to be built whole, in words; None when what is new is enough."""
    if asked:
        return "asked for"
    path = database.with_name(RULES_FILE)
    try:
        before: Rules = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "the working tables have not been built whole yet"
    except ValueError:
        return f"{path} cannot be read"
    return difference(before, rules)


def difference(before: Rules, now: Rules) -> str | None:
    """What differs between two sets of rules, the first ones named; None when nothing does."""
    changed = [f"{name} has changed" for name in now if name in before and before[name] != now[name]]
    changed += [f"{name} is new" for name in now if name not in before]
    changed += [f"{name} is gone" for name in before if name not in now]
    if not changed:
        return None
    more = f" and {len(changed) - NAMED_CHANGES} more" if len(changed) > NAMED_CHANGES else ""
    return ", ".join(changed[:NAMED_CHANGES]) + more


def remember_rules(database: Path, rules: Rules) -> None:
    """Write down what the working tables were built by, after all of them were."""
    write_json(database.with_name(RULES_FILE), dict(rules))


def forget_rules(database: Path) -> None:
    """From here on nobody knows what the working tables were built by: they are about to be built anew, or are gone."""
    database.with_name(RULES_FILE).unlink(missing_ok=True)


def rule_tables_are_loaded(database: Path, rule_tables: Rules) -> bool:
    """Whether the seeds in the working database are those that are given (name → checksum): then a night need not load and test them."""
    if not database.exists():
        return False
    with working_database.connect(database) as connection:
        known = connection.execute(
            "select 1 from duckdb_tables() where schema_name = 'operations' and table_name = 'rule_tables'"
        ).fetchone()
        return known is not None and dict(connection.execute("from operations.rule_tables").fetchall()) == dict(rule_tables)


def remember_rule_tables(database: Path, rule_tables: Rules) -> None:
    """Enter which seeds the working database holds, after all of them were loaded and tested; none before they are loaded anew."""
    with working_database.connect(database, read_only=False) as connection:
        connection.execute("create schema if not exists operations")
        connection.execute("create or replace table operations.rule_tables (table_name string, checksum string)")
        working_database.insert(
            connection, "operations.rule_tables", [{"table_name": name, "checksum": found} for name, found in rule_tables.items()]
        )


def _ancestors(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every incremental model that a full refresh rebuilds, and everything they read, by name."""
    known = {**manifest["nodes"], **manifest["sources"]}
    waiting = [
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
        and node["config"]["materialized"] == "incremental"
        and node["config"]["full_refresh"] is not False
    ]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in known and name not in found:
            found.add(name)
            waiting += known[name].get("depends_on", {}).get("nodes", [])
    return [known[name] for name in sorted(found)]


def _node_rule(node: Mapping[str, Any]) -> tuple[str, str, str]:
    if node["resource_type"] == "source":
        # Not its place: a home may be moved.
        columns = {name: column["data_type"] for name, column in node["columns"].items()}
        return "raw table", node["name"], checksum(columns)
    configuration = {name: value for name, value in node["config"].items() if name not in NOT_CONFIGURATION}
    return node["resource_type"], node["name"], checksum([node["checksum"]["checksum"], configuration])
