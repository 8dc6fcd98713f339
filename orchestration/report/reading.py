"""Reading the published tables: what is there, plain numbers out of it, and what is said of too few customers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import duckdb

PUBLISHED = "published"
# In place of a number of customers between one and the minimum group size.
WITHHELD = -1
# More digits than anybody reads; every one of them costs bytes a few hundred thousand times. What stands before the point is told whole.
SIGNIFICANT_DIGITS = 6


@dataclass(frozen=True)
class Tables:
    """The published tables of one build.

    Attributes:
        connection: the serving database, read-only.
        minimum_group_size: figures of fewer customers are withheld.
    """

    connection: duckdb.DuckDBPyConnection
    minimum_group_size: int

    @cached_property
    def _columns(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        query = "select table_name, column_name, data_type from duckdb_columns() where schema_name = ? order by column_index"
        for table, column, data_type in self.rows(query, [PUBLISHED]):
            found.setdefault(table, {})[column] = data_type
        return found

    def has(self, table: str, *columns: str) -> bool:
        """Whether the build publishes this table, with these columns: an older build, or one without the part, need not."""
        return table in self._columns and set(columns) <= self._columns[table].keys()

    def columns(self, table: str) -> list[str]:
        """The columns of a published table, in order; none where it is not there."""
        return list(self._columns.get(table, {}))

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.connection.execute(query, list(values)).fetchall()

    def tell_customers(self, customers: int) -> int:
        """A number of customers as the page may tell it."""
        return WITHHELD if 0 < customers < self.minimum_group_size else int(customers)

    def is_told(self, customers: int | None) -> bool:
        """Whether figures of so many customers may be told."""
        return customers is not None and customers >= self.minimum_group_size


def plain(value: Any) -> Any:
    """A value as JSON knows it: dates in ISO, numbers with the digits that matter, no NaN."""
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    number = float(value)
    if number != number or number in (float("inf"), float("-inf")):
        return None
    shortened = float(f"{number:.{SIGNIFICANT_DIGITS}g}") if abs(number) < 10 ** (SIGNIFICANT_DIGITS - 1) else float(round(number))
    return int(shortened) if shortened.is_integer() and abs(shortened) < 1e15 else shortened


def records(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """Rows as objects of plain values."""
    return [{name: plain(value) for name, value in zip(names, row, strict=True)} for row in rows]
