"""`segments export`: one audience of the served build to one destination, once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from orchestration.delivery.contact_hours import ContactHours, contact_hours
from orchestration.delivery.destinations import Destination, open_destination
from orchestration.delivery.members import KEY_MEANINGS, Audience, ServedBuild, collect_keys, open_served_build
from orchestration.delivery.parcel import Parcel
from orchestration.delivery.records import (
    ATTEMPTED,
    DELIVERED,
    FAILED,
    KEYS_FILE,
    Delivery,
    deliveries_dir,
    deliveries_to,
    delivery_dir,
    key_column,
    keys_file,
    last_delivered,
    unfinished_attempts,
    write_delivery,
)
from orchestration.delivery.retirement import retired_audience
from orchestration.errors import UnusableInput
from orchestration.publishing.lock import home_lock
from orchestration.sql import PARQUET, quote_file, quote_identifier, quote_literal

CHANGES = ("added", "removed")


@dataclass(frozen=True)
class Exported:
    """What became of a command: the delivery, and whether it had been made before."""

    delivery: Delivery
    was_delivered: bool
    summary: str


def export_audience(
    home: Path,
    name: str,
    address: str,
    *,
    file_format: str | None = None,
    again: bool = False,
    now: datetime | None = None,
) -> Exported:
    """Deliver the audience `name` of the served build to `address`, unless just that was delivered there already.

    One that the build no longer has, but that was delivered there from an earlier build, is delivered a last time, with nobody in it.

    Args:
        home: the home folder.
        name: the audience.
        address: a folder, a URL of fsspec, or an http(s) URL.
        file_format: parquet or csv; parquet where it is not said.
        again: deliver even what was delivered already, and send a webhook all members.
        now: the moment, with its zone; for tests.

    Raises UnusableInput, before anything is written anywhere, for an unknown audience or destination; and when the destination refuses.
    Raises DeliveryFailed when it cannot be reached. HomeInUse while a night or another delivery is at work.
    """
    now = (now or datetime.now(UTC)).astimezone(UTC)
    destination = open_destination(address, file_format)
    with open_served_build(home) as served:
        audience = _audience(home, served, name, destination)
        hours = _hours(audience, served.timezone)
        with home_lock(deliveries_dir(home)):
            return _deliver(home, served, audience, hours, destination, again, now)


def _audience(home: Path, served: ServedBuild, name: str, destination: Destination) -> Audience:
    """The audience of the build, or the retired one that was delivered there. Raises UnusableInput, naming the nearest, for others."""
    audiences = served.audiences()
    if name in audiences:
        return audiences[name]
    if last := last_delivered(deliveries_to(home, name, destination.id)):
        return retired_audience(home, served.build, last)
    close = get_close_matches(name, audiences, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(sorted(audiences))}"
    raise UnusableInput(f"there is no audience '{name}' in the build {served.build.id}: {hint}")


def _hours(audience: Audience, timezone: str) -> ContactHours:
    # Who is taken back is not contacted, so that nothing has to wait.
    return ContactHours(timezone, time.min, time.min) if audience.is_retired else contact_hours(audience.channel, timezone)


def _deliver(
    home: Path, served: ServedBuild, audience: Audience, hours: ContactHours, destination: Destination, again: bool, now: datetime
) -> Exported:
    not_before, not_after = hours.window(now)
    held_back = collect_keys(served, audience, home, not_before.astimezone(ZoneInfo(hours.timezone)).date())
    content_hash = _content_hash(served.connection)
    there = deliveries_to(home, audience.id, destination.id)
    last = last_delivered(there)
    last_key = key_column(home, last) if last else None
    # To its receiver a delivery by another key is a first one: it has nothing to be told by that key.
    previous = last if last_key in (audience.key, None) else None
    # Some of what they were to bring or to take back may have come all the same, even all of it.
    unfinished = unfinished_attempts(home, there)
    same = (served.build.id, audience.definition_hash, content_hash, destination.format)
    if audience.is_retired:
        # Once for all builds without it.
        is_there = previous is not None and previous.is_retired and previous.format == destination.format
    else:
        is_there = previous is not None and same == _sameness(previous)
    if previous and is_there and not unfinished and not again:
        return Exported(previous, True, _summary(previous, audience, held_back, was_delivered=True, now=now, timezone=hours.timezone))
    if previous and not keys_file(home, previous).is_file():
        if not again:
            raise UnusableInput(
                f"{keys_file(home, previous)} is gone, so nobody knows whom {destination.shown} must forget: "
                "deliver with --again, and let everything there be replaced"
            )
        previous = None
    _compare(served.connection, home, audience.key, previous, unfinished)
    counts = dict(served.connection.execute("select list, count(*) from changes group by list").fetchall())
    delivery = Delivery(
        id=_delivery_id(served.build.id, (*same, destination.id, previous.id if previous else None, again)),
        audience_id=audience.id,
        source=served.build.source,
        build_id=served.build.id,
        as_of_date=served.build.as_of_date,
        definition_hash=audience.definition_hash,
        destination=destination.shown,
        destination_id=destination.id,
        format=destination.format,
        content_hash=content_hash,
        status=ATTEMPTED,
        started_at=now,
        members=_count(served.connection, "current_keys"),
        previous=_count(served.connection, "previous_keys"),
        added=counts.get("added", 0),
        removed=counts.get("removed", 0),
        removed_of_unfinished=_count(served.connection, "changes where list = 'removed' and contact_key not in (from previous_keys)"),
        added_of_unfinished=_count(served.connection, "changes where list = 'added' and contact_key in (from previous_keys)"),
        since_delivery_id=previous.id if previous else None,
        not_before=not_before,
        not_after=not_after,
        held_back=held_back,
        name=audience.name,
        purpose=audience.purpose,
        channel=audience.channel,
        key=audience.key,
        is_retired=audience.is_retired,
    )
    delivery = _taken_up(delivery, there, now)
    parcel = _pack(home, served, audience, hours, delivery, everything=again)
    write_delivery(home, delivery)
    try:
        manifest = destination.send(parcel)
    except Exception as error:
        write_delivery(home, replace(delivery, status=FAILED, failure=" ".join(str(error).split()), finished_at=datetime.now(UTC)))
        raise
    delivery = replace(delivery, status=DELIVERED, finished_at=max(now, datetime.now(UTC)))
    write_delivery(home, delivery)
    _forget_older_keys(home, there, delivery)
    summary = _summary(delivery, audience, held_back, was_delivered=False, now=now, timezone=hours.timezone, manifest=manifest)
    if last and last.members and last_key not in (audience.key, None):
        summary += f"\n  note: whom {last.id} brought by {last_key}, this delivery by {audience.key} does not take back: remove them there"
    return Exported(delivery, False, summary)


def _sameness(delivery: Delivery) -> tuple[str, str, str, str]:
    """What a delivery has in common with one that says nothing new."""
    return (delivery.build_id, delivery.definition_hash, delivery.content_hash, delivery.format)


def _content_hash(connection: duckdb.DuckDBPyConnection) -> str:
    digest = hashlib.sha256()
    cursor = connection.execute("select contact_key from current_keys order by contact_key")
    while rows := cursor.fetchmany(10_000):
        digest.update("".join(f"{key}\n" for (key,) in rows).encode())
    return digest.hexdigest()


def _delivery_id(build_id: str, parts: Sequence[Any]) -> str:
    """The same for the same keys of the same build to the same place after the same delivery, so that an attempt can be taken up again."""
    return f"{build_id}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:10]}"


def _taken_up(delivery: Delivery, there: Sequence[Delivery], now: datetime) -> Delivery:
    """The delivery under its id: that of the last attempt, as it began, where it was at the very same and its hours last; else a new one.

    An earlier one is not taken up: the destination may have believed another since, and knows all that would be repeated.
    """
    ids = {each.id: each for each in there}
    for number in range(1, len(ids) + 2):
        id_ = delivery.id if number == 1 else f"{delivery.id}-{number}"
        earlier = ids.get(id_)
        if earlier is None:
            return replace(delivery, id=id_)
        is_last = all(each is earlier or each.started_at < earlier.started_at for each in there)
        is_open = earlier.status != DELIVERED and (earlier.not_after is None or now < earlier.not_after)
        if is_last and is_open and (earlier.added, earlier.removed) == (delivery.added, delivery.removed):
            return replace(delivery, id=id_, started_at=earlier.started_at, not_before=earlier.not_before, not_after=earlier.not_after)
    raise AssertionError("unreachable")


def _compare(
    connection: duckdb.DuckDBPyConnection, home: Path, key: str, previous: Delivery | None, unfinished: Sequence[Delivery]
) -> None:
    """Make `previous_keys` and `changes` (list, contact_key): who may not be there and must be, and who may be there and must not be.

    The destination stands at the last delivery or, unknown to us, at any attempt since. At one by another key it has nobody by this one.
    """
    connection.execute(f"create temp table previous_keys as {_keys(home, previous, key)}")
    may_stand_at = ["from previous_keys", *(_keys(home, each, key) for each in unfinished)]
    connection.execute(
        f"""
        create temp table changes as
        select 'added' as list, contact_key from (from current_keys except ({_combined("intersect", may_stand_at)}))
        union all
        select 'removed', contact_key from (({_combined("union", may_stand_at)}) except from current_keys)
        """
    )


def _keys(home: Path, delivery: Delivery | None, key: str) -> str:
    """A query for the keys of a delivery, of which it has none where it was addressed by another one."""
    if delivery is None or not keys_file(home, delivery).is_file() or key_column(home, delivery) != key:
        return "select null::varchar as contact_key where false"
    return f"select columns(*)::varchar as contact_key from read_parquet({quote_file(str(keys_file(home, delivery)))})"


def _combined(operator: str, queries: Sequence[str]) -> str:
    return f" {operator} ".join(f"({query})" for query in queries)


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    ((rows,),) = connection.execute(f"select count(*) from {relation}").fetchall()
    return int(rows)


def _pack(home: Path, served: ServedBuild, audience: Audience, hours: ContactHours, delivery: Delivery, *, everything: bool) -> Parcel:
    """Write the lists beside the record, and say what they are."""
    folder = delivery_dir(home, audience.id, delivery.id)
    folder.mkdir(parents=True, exist_ok=True)
    lists = {"members": folder / KEYS_FILE, **{name: folder / f"{name}.parquet" for name in CHANGES}}
    for name, path in lists.items():
        source = "current_keys" if name == "members" else f"changes where list = {quote_literal(name)}"
        served.connection.execute(
            f"copy (select contact_key as {quote_identifier(audience.key)} from {source} order by contact_key) "
            f"to {quote_literal(str(path))} ({PARQUET})"
        )
    rows = {"members": delivery.members, "added": delivery.added, "removed": delivery.removed}
    about: dict[str, Any] = {
        "delivery_id": delivery.id,
        "since_delivery_id": delivery.since_delivery_id,
        "audience_id": audience.id,
        "build_id": served.build.id,
        "as_of_date": served.build.as_of_date.isoformat(),
        "not_before": _utc(delivery.not_before),
        "not_after": delivery.not_after and _utc(delivery.not_after),
        "quiet_hours": None
        if delivery.not_after is None
        else {"from": f"{hours.quiet_from:%H:%M}", "until": f"{hours.quiet_until:%H:%M}", "timezone": hours.timezone},
    }
    manifest = {
        **about,
        "name": audience.name,
        # The last delivery of a retired audience may be of before these were recorded.
        "purpose": audience.purpose or None,
        "channel": audience.channel or None,
        "definition_hash": audience.definition_hash,
        "is_retired": audience.is_retired,
        "code_version": served.build.code_version,
        "created_at": _utc(delivery.started_at),
        "key": {"column": audience.key, "meaning": KEY_MEANINGS.get(audience.key)},
        "keys_sha256": delivery.content_hash,
        "counts": {
            "members": delivery.members,
            "previous": delivery.previous,
            "added": delivery.added,
            "removed": delivery.removed,
            "removed_of_unfinished": delivery.removed_of_unfinished,
            "added_of_unfinished": delivery.added_of_unfinished,
        },
    }
    return Parcel(audience.id, delivery.id, about, audience.key, lists, rows, everything, manifest)


def _forget_older_keys(home: Path, there: Sequence[Delivery], delivery: Delivery) -> None:
    """Keep the keys of this delivery alone: all that older ones and attempts may have brought is in it, or was taken back by it."""
    for each in there:
        if each.id != delivery.id:
            keys_file(home, each).unlink(missing_ok=True)
    for name in CHANGES:
        for each in (*there, delivery):
            (delivery_dir(home, each.audience_id, each.id) / f"{name}.parquet").unlink(missing_ok=True)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _summary(
    delivery: Delivery,
    audience: Audience,
    held_back: dict[str, int],
    *,
    was_delivered: bool,
    now: datetime,
    timezone: str,
    manifest: str | None = None,
) -> str:
    build = f"build {delivery.build_id} (as of {delivery.as_of_date})"
    what = f"{audience.id}, which {build} no longer has," if audience.is_retired else f"{audience.id} of {build}"
    if was_delivered:
        finished = delivery.finished_at or delivery.started_at
        return (
            f"Already delivered: {what} to {delivery.destination}, at {_utc(finished)} as {delivery.id}. "
            "Nothing was changed (--again delivers it anyway)."
        )
    since = f"since {delivery.since_delivery_id}" if delivery.since_delivery_id else "the first delivery there"
    lines = [
        f"Delivered {what} to {delivery.destination} as {delivery.id}.",
        f"  members {delivery.members:,}: {delivery.added:,} added, {delivery.removed:,} removed ({since})",
    ]
    if held_back:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in held_back.items())
        lines.append(f"  held back though contactable in the build: {reasons}")
    if audience.is_retired:
        return "\n".join((*lines, "  the last delivery there: nobody is to be contacted", f"  manifest {manifest}"))
    contact_day = delivery.not_before.astimezone(ZoneInfo(timezone)).date()
    if contact_day > delivery.as_of_date:
        lines.append(f"  note: the build describes {delivery.as_of_date}; who has come in or left by {contact_day}, the next night says")
    until = f" until {_utc(delivery.not_after)}" if delivery.not_after else ""
    begin = "now" if delivery.not_before <= now else _utc(delivery.not_before)
    lines.append(f"  contact from {begin}{until}")
    lines.append(f"  manifest {manifest}")
    return "\n".join(lines)
