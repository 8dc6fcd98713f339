"""What is brought to a destination: lists of keys, what they are, and the manifest that says when all of it is there."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.sql import PARQUET, quote_file, quote_identifier, quote_literal

FORMATS = ("parquet", "csv")
READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Parcel:
    """One delivery, ready to be sent.

    Attributes:
        delivery: what every part of it says of itself: ids, the build, the day, when contact is allowed.
        key: the column of the contact key, such as email_sha256.
        lists: {members, added, removed: a Parquet file with that one column}, each key once, in order.
        rows: how many keys are in each.
        everything: whether a destination that is told changes is told all members instead.
        manifest: the manifest without what depends on how it is sent.
    """

    audience_id: str
    delivery_id: str
    delivery: dict[str, Any]
    key: str
    lists: dict[str, Path]
    rows: dict[str, int]
    everything: bool
    manifest: dict[str, Any]

    def write(self, name: str, file_format: str, folder: Path) -> Path:
        """One of the lists as a file of its own, in Parquet or CSV."""
        path = folder / f"{name}.{file_format}"
        options = PARQUET if file_format == "parquet" else "format csv, header"
        source = quote_file(str(self.lists[name]))
        with duckdb.connect(":memory:") as connection:
            connection.execute(
                f"copy (select {quote_identifier(self.key)} from read_parquet({source})) to {quote_literal(str(path))} ({options})"
            )
        return path

    def batches(self, name: str, size: int) -> Iterator[list[str]]:
        """The keys of a list, `size` at a time."""
        with duckdb.connect(":memory:") as connection:
            cursor = connection.execute(f"select {quote_identifier(self.key)} from read_parquet({quote_file(str(self.lists[name]))})")
            while rows := cursor.fetchmany(size):
                yield [key for (key,) in rows]


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def as_json(document: Any) -> bytes:
    """A document as it is sent: UTF-8, keys in their order."""
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
