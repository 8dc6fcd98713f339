"""What the dbt manifest says about the tables a night guards and publishes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PUBLISHED_TAG = "published"
SEGMENTS_LAYER = "segments"
# Outputs of other layers that the gate judges as well; their schema is that of the segments.
GUARDED_TAG = "guarded"


@dataclass(frozen=True)
class ManifestTable:
    """A model as the working database knows it.

    Attributes:
        name: its name in the working database and in the `published` schema.
        model: its name as a dbt model, which its Dagster asset carries.
        schema: its schema in the working database.
        description: what the model's YAML says, grain first.
        columns: column name → description, in the contract's order.
        grain: the columns that make a row unique (`config.meta.grain`); all columns where the model does not say.
        is_served_as_view: whether readers get it as a view over other published tables (`config.meta.served_as: view`).
        is_served_on_demand: whether only the serving database has it, in the schema on_demand (`config.meta.served_in: on_demand`).
    """

    name: str
    model: str
    schema: str
    description: str
    columns: dict[str, str]
    grain: tuple[str, ...]
    is_served_as_view: bool
    is_served_on_demand: bool


def _models(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def _table(node: Mapping[str, Any]) -> ManifestTable:
    columns = {name: " ".join(column["description"].split()) for name, column in node["columns"].items()}
    meta = node["config"].get("meta", {})
    return ManifestTable(
        name=node["alias"],
        model=node["name"],
        schema=node["schema"],
        description=" ".join(node["description"].split()),
        columns=columns,
        grain=tuple(meta.get("grain") or columns),
        is_served_as_view=meta.get("served_as") == "view",
        is_served_on_demand=meta.get("served_in") == "on_demand",
    )


def segment_tables(manifest: Mapping[str, Any]) -> list[str]:
    """Names of the outputs that the gate judges: every model of the segments layer and those tagged `guarded`, sorted."""
    return sorted(node["alias"] for node in _models(manifest) if node["fqn"][1] == SEGMENTS_LAYER or GUARDED_TAG in node["tags"])


def published_tables(manifest: Mapping[str, Any]) -> list[ManifestTable]:
    """Every model tagged `published`, sorted by name."""
    tables = [_table(node) for node in _models(manifest) if PUBLISHED_TAG in node["tags"]]
    return sorted(tables, key=lambda table: table.name)


def rule_tables(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Seeds by name, each with the checksum of its file and of its configuration."""
    seeds = (node for node in manifest["nodes"].values() if node["resource_type"] == "seed")
    return {node["name"]: checksum([node["checksum"]["checksum"], node["config"]]) for node in seeds}


def checksum(value: Any) -> str:
    """A short name for a value made of texts, numbers, lists and mappings; equal values have the same."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
