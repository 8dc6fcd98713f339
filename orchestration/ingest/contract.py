"""The raw contract in code: what a source may bring. Written once, in models/staging/_sources.yml, and read from there."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.files import read_yaml
from orchestration.settings import PROJECT_DIR

CONTRACT_FILE = Path("models/staging/_sources.yml")
READABLE_TYPES = re.compile(r"string|timestamp|date|boolean|decimal\(\d+,\d+\)")


@dataclass(frozen=True)
class Column:
    """One column of a raw table."""

    name: str
    data_type: str
    """string, timestamp (UTC), date, boolean or decimal(precision,scale)."""
    required: bool
    """A row without it cannot be used, a file without it is refused."""
    key: bool
    classification: str | None
    """identifier, personal or special_category; None when the column says nothing about a person."""

    @property
    def duckdb_type(self) -> str:
        """The type as DuckDB spells it."""
        return "varchar" if self.data_type == "string" else self.data_type


@dataclass(frozen=True)
class Table:
    """One raw table."""

    name: str
    required: bool
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns in the order of the contract."""
        return tuple(column.name for column in self.columns)

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The names of the columns that every file of this table must have."""
        return tuple(column.name for column in self.columns if column.required)


@dataclass(frozen=True)
class Contract:
    """Every raw table, by name, in the order of the contract."""

    tables: dict[str, Table]


def _meta(described: dict[str, Any]) -> dict[str, Any]:
    meta: dict[str, Any] = (described.get("config") or {}).get("meta") or {}
    return meta


def _column(table: str, described: dict[str, Any]) -> Column:
    data_type = re.sub(r"\s+", "", str(described["data_type"]).lower())
    if not READABLE_TYPES.fullmatch(data_type):
        raise ValueError(
            f"{CONTRACT_FILE}: {table}.{described['name']} has type {data_type}, which landing cannot read into: "
            "use string, timestamp, date, boolean or decimal(p,s)"
        )
    meta = _meta(described)
    return Column(
        name=described["name"],
        data_type=data_type,
        required=bool(meta.get("required", False)),
        key=bool(meta.get("key", False)),
        classification=meta.get("classification"),
    )


@functools.cache
def read_contract(project_dir: Path = PROJECT_DIR) -> Contract:
    """Read the raw contract from the dbt sources of the project.

    Raises ValueError when the contract itself names a type that landing does not know.
    """
    described = read_yaml(project_dir / CONTRACT_FILE)
    (landing,) = [source for source in described["sources"] if source["name"] == "landing"]
    return Contract(
        tables={
            table["name"]: Table(
                name=table["name"],
                required=bool(_meta(table).get("required", False)),
                columns=tuple(_column(table["name"], column) for column in table["columns"]),
            )
            for table in landing["tables"]
        }
    )
