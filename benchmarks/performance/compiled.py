"""The SQL that a night has compiled, run without dbt and Dagster."""

import json
from collections.abc import Iterator, Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from orchestration.ingest.assets import LANDING_SOURCE
from orchestration.sql import quote_identifier, quote_literal

MADE_BEFORE = "built"  # the night's own working database, attached read-only for its seeds and its records

Node = dict[str, Any]


class CompiledModels:
    """The models of the last whole build of a home, as compiled then.

    folder: dbt's target folder of that home.
    database: its working database; seeds and the night's records are copied from there.
    landing: its landed batches, which the SQL names by their place below this folder.
    """

    def __init__(self, folder: Path, database: Path, landing: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self._folder = folder / "compiled" / manifest["metadata"]["project_name"]
        self._database = database
        self._landing = landing
        # What the orchestration writes (all sources but what was landed) and what roll-ups stand at.
        sources = manifest["sources"].values()
        self._records = {(source["schema"], source["name"]) for source in sources if source["source_name"] != LANDING_SOURCE}
        self._records.add(("operations", "roll_up_state"))
        self._seeds = [node for node in manifest["nodes"].values() if node["resource_type"] == "seed"]
        models = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
        parents = {key: [parent for parent in node["depends_on"]["nodes"] if parent in models] for key, node in models.items()}
        self._parents = parents
        self._in_order = {key: models[key] for key in TopologicalSorter(parents).static_order()}

    @property
    def catalog(self) -> str:
        """The name of the database that the compiled SQL speaks of."""
        return quote_identifier(next(iter(self._in_order.values()))["database"])

    def relation(self, name: str) -> str:
        """A model as a relation."""
        return _relation(self._named(name))

    def of_layers(self, layers: Sequence[str]) -> Iterator[Node]:
        """The models of some layers, each after what it reads."""
        return (node for node in self._in_order.values() if node["fqn"][1] in layers)

    def upstream_of(self, name: str) -> Iterator[Node]:
        """A model and all that it reads, itself last."""
        wanted = {self._named(name)["unique_id"]}
        for key in reversed(self._in_order):
            if key in wanted:
                wanted.update(self._parents[key])
        return (node for key, node in self._in_order.items() if key in wanted)

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Copy what the models read and no model makes: seeds, and what the night records about itself."""
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"set file_search_path = {quote_literal(str(self._landing))}")
        connection.execute(f"attach {quote_literal(str(self._database))} as {MADE_BEFORE} (read_only)")
        made = connection.execute("select schema_name, table_name from duckdb_tables() where database_name = ?", [MADE_BEFORE]).fetchall()
        records = [table for table in made if table in self._records]
        for schema, table in [(seed["schema"], seed["alias"]) for seed in self._seeds] + records:
            place = f"{quote_identifier(schema)}.{quote_identifier(table)}"
            connection.execute(f"create schema if not exists {self.catalog}.{quote_identifier(schema)}")
            connection.execute(f"create table {self.catalog}.{place} as from {MADE_BEFORE}.{place}")

    def create(self, connection: duckdb.DuckDBPyConnection, node: Node, *, as_view: bool = False) -> None:
        """Create one model as a view or, unless it is one, as a table. An ephemeral model is part of its readers already."""
        kind = node["config"]["materialized"]
        if kind == "ephemeral":
            return
        connection.execute(f"create schema if not exists {self.catalog}.{quote_identifier(node['schema'])}")
        query = (self._folder / node["original_file_path"]).read_text(encoding="utf-8")
        connection.execute(f"create {'view' if as_view or kind == 'view' else 'table'} {_relation(node)} as {query}")

    def _named(self, name: str) -> Node:
        return next(node for node in self._in_order.values() if node["name"] == name)


def _relation(node: Node) -> str:
    return ".".join(quote_identifier(node[part]) for part in ("database", "schema", "alias"))
