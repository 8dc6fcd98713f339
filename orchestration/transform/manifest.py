"""What the dbt manifest says about the tables a night guards and publishes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PUBLISHED_TAG = "published"
SEGMENTS_LAYER = "segments"
SEGMENTS_FOLDER = f"models/{SEGMENTS_LAYER}"


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
    """

    name: str
    model: str
    schema: str
    description: str
    columns: dict[str, str]
    grain: tuple[str, ...]


def _models(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def _table(node: Mapping[str, Any]) -> ManifestTable:
    columns = {name: " ".join(column["description"].split()) for name, column in node["columns"].items()}
    grain = tuple(node["config"].get("meta", {}).get("grain") or columns)
    return ManifestTable(node["alias"], node["name"], node["schema"], " ".join(node["description"].split()), columns, grain)


def segment_tables(manifest: Mapping[str, Any]) -> list[str]:
    """Names of the segment outputs: every model of the segments layer, sorted."""
    return sorted(node["alias"] for node in _models(manifest) if node["fqn"][1] == SEGMENTS_LAYER)


def published_tables(manifest: Mapping[str, Any]) -> list[ManifestTable]:
    """Every model tagged `published`, sorted by name."""
    tables = [_table(node) for node in _models(manifest) if PUBLISHED_TAG in node["tags"]]
    return sorted(tables, key=lambda table: table.name)


def tests_about_segments(manifest: Mapping[str, Any]) -> list[str]:
    """The dbt data tests that read a segment output, as selection criteria.

    They run after the gate: it is the gate that judges the segments and tells what is wrong with them, and a dbt test that failed
    before it would keep it from saying so.
    """
    segments = {node["unique_id"] for node in _models(manifest) if node["fqn"][1] == SEGMENTS_LAYER}
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    about = [test for test in tests if segments & set(test["depends_on"]["nodes"])]
    # Those in the layer's own files as one criterion: each takes dbt a look at every node of the project.
    elsewhere = sorted(test["name"] for test in about if not test["original_file_path"].startswith(SEGMENTS_FOLDER))
    return [f"path:{SEGMENTS_FOLDER},resource_type:test", *elsewhere]
