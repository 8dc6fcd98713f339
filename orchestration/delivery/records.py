"""What was delivered, where and when: one folder for each delivery, and the keys of the last one to each destination.

    <home>/deliveries/<audience>/<delivery id>/delivery.json   what, where to, how it ended
                                               keys.parquet    the keys that were to be delivered: what the next delivery is compared with

An attempt that has not ended, or failed, keeps its keys: some of them may have arrived. All times are UTC.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.errors import UnusableInput
from orchestration.files import write_json
from orchestration.sql import quote_file

ATTEMPTED, FAILED, DELIVERED = "attempted", "failed", "delivered"
RECORD_FILE = "delivery.json"
KEYS_FILE = "keys.parquet"
DATES = ("as_of_date",)
TIMES = ("started_at", "finished_at", "not_before", "not_after")
# What an audience or a delivery may be called: it is the name of a folder.
NAME = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_-]*")


@dataclass(frozen=True)
class Delivery:
    """One delivery of an audience to a destination."""

    id: str
    audience_id: str
    source: str
    build_id: str
    as_of_date: date
    definition_hash: str
    destination: str
    """For people: without what may stand behind a question mark."""
    destination_id: str
    """Told apart by: a hash of the whole address."""
    format: str
    content_hash: str
    """SHA-256 of the keys in order, one a line."""
    status: str
    started_at: datetime
    members: int
    previous: int
    added: int
    removed: int
    removed_of_unfinished: int
    """Of `removed`, those that no finished delivery had: an unfinished one may have brought them."""
    since_delivery_id: str | None
    not_before: datetime
    not_after: datetime | None
    held_back: Mapping[str, int] = field(default_factory=dict)
    """Members who are contactable by the build and are not delivered: how many for which reason."""
    finished_at: datetime | None = None
    failure: str | None = None
    name: str = ""
    """What the audience is called; like the next three empty in records of before it was entered."""
    purpose: str = ""
    channel: str = ""
    key: str = ""
    """The column that its members were addressed by."""
    is_retired: bool = False
    """Whether the build no longer had the audience: nobody is delivered, and everybody taken back."""
    added_of_unfinished: int = 0
    """Of `added`, those that the last delivery had too: an unfinished one may have taken them back."""


def deliveries_dir(home: Path) -> Path:
    """Where the records of a home are."""
    return home / "deliveries"


def delivery_dir(home: Path, audience_id: str, delivery_id: str) -> Path:
    """The folder of one delivery. Raises UnusableInput when a name could lead anywhere else."""
    for name in (audience_id, delivery_id):
        if not NAME.fullmatch(name):
            raise UnusableInput(f"{name!r} is no name of an audience or a delivery")
    return deliveries_dir(home) / audience_id / delivery_id


def write_delivery(home: Path, delivery: Delivery) -> None:
    """Enter a delivery, whole or not at all."""
    folder = delivery_dir(home, delivery.audience_id, delivery.id)
    folder.mkdir(parents=True, exist_ok=True)
    document = asdict(delivery)
    for name in (*DATES, *TIMES):
        document[name] = document[name] and document[name].isoformat()
    write_json(folder / RECORD_FILE, document)


def read_delivery(path: Path) -> Delivery:
    """The delivery of a file. Raises UnusableInput when it is damaged."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for names, kind in ((DATES, date), (TIMES, datetime)):
            for name in names:
                document[name] = document[name] and kind.fromisoformat(document[name])
        return Delivery(**document)
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableInput(
            f"{path} is damaged ({error!r}): restore it, or remove its folder and deliver everything with --again"
        ) from error


def list_deliveries(home: Path, audience_id: str = "*") -> list[Delivery]:
    """All deliveries, of one audience where it is named, in the order in which they began."""
    found = [read_delivery(path) for path in deliveries_dir(home).glob(f"{audience_id}/*/{RECORD_FILE}")]
    return sorted(found, key=lambda delivery: (delivery.started_at, delivery.id))


def deliveries_to(home: Path, audience_id: str, destination_id: str) -> list[Delivery]:
    """All deliveries of an audience to one destination, in the order in which they began. None of what can be no audience's name."""
    if not NAME.fullmatch(audience_id):
        return []
    return [each for each in list_deliveries(home, audience_id) if each.destination_id == destination_id]


def last_delivered(there: Sequence[Delivery]) -> Delivery | None:
    """The one that ended last of those that are complete; None where none is."""
    delivered = [each for each in there if each.status == DELIVERED]
    return max(delivered, key=lambda each: each.finished_at or each.started_at, default=None)


def unfinished_attempts(home: Path, there: Sequence[Delivery]) -> list[Delivery]:
    """Those since the last delivery that did not end as one: what was attempted before it has lost its keys, because that settled it."""
    return [each for each in there if each.status != DELIVERED and keys_file(home, each).is_file()]


def keys_file(home: Path, delivery: Delivery) -> Path:
    """The keys that a delivery was to bring."""
    return delivery_dir(home, delivery.audience_id, delivery.id) / KEYS_FILE


def key_column(home: Path, delivery: Delivery) -> str | None:
    """The column that its members were addressed by: of its record or, where that does not name it yet, of its keys. None without those."""
    path = keys_file(home, delivery)
    if delivery.key or not path.is_file():
        return delivery.key or None
    with duckdb.connect(":memory:") as connection:
        return connection.sql(f"from read_parquet({quote_file(str(path))})").columns[0]
