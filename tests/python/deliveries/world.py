"""A shop whose nights cost a fraction of a second: raw rows as lists, the project's own SQL on them, a build that is served.

What a night does with audiences is done here by the same models and macros, without dbt around them. The rules that deliveries are judged
by stand beside it in plain Python, read from the raw rows: nothing of them is shared with the SQL.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import yaml

from orchestration.audiences.macros import Macros
from orchestration.publishing.builds import Build, build_dir, list_builds, mark_published, start_build, swap
from orchestration.settings import PROJECT_DIR, Settings

ZONE = ZoneInfo("Europe/Berlin")
AUDIENCES = {
    "ambassadors": {"channel": "email", "holdout_percent": 20},
    "birthdays_next_7_days": {"channel": "sms"},
    "cart_abandoners": {"channel": "post"},
    "full_price_loyal_customers": {"channel": "email"},
}
LIMITS = {"email": (2, 3), "sms": (1, 1), "push": (1, 3), "post": (1, 1), "any": (3, 4)}
"""Messages on a day, days within seven. Not those of seeds/contact_limits.csv, where one message closes every channel for the day."""
SCHEMAS = {
    "thresholds": "rules",
    "contact_channels": "rules",
    "contact_limits": "rules",
    "int_customers": "intermediate",
    "audience_rules": "audiences",
    "audience_contactability": "audiences",
    "audience_memberships": "segments",
    "audiences": "reporting",
    "people": "reporting",
}
MODELS = {
    "audience_rules": "audiences/shared",
    "audience_contactability": "audiences/shared",
    "audience_memberships": "audiences/shared",
    "audiences": "published",
    "people": "published",
}
COLUMNS = {
    "stg_customers": "customer_id varchar, email varchar, phone varchar",
    "stg_consents": "customer_id varchar, purpose varchar, channel varchar, is_granted boolean, changed_at timestamp",
    "stg_campaign_contacts": "customer_id varchar, campaign_id varchar, channel varchar, sent_at timestamp, unsubscribed_at timestamp",
    "stg_campaigns": "campaign_id varchar, channel varchar",
    "stg_erasure_requests": "customer_id varchar, requested_at timestamp",
    "unreadable_refusals": "customer_id varchar",
}
DATES = {
    "stg_consents": ("changed",),
    "stg_campaign_contacts": ("sent", "unsubscribed"),
    "stg_erasure_requests": ("requested",),
}


@dataclass
class Raw:
    """What has landed. Times are UTC without saying so."""

    customers: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    """{customer: e-mail and phone}"""
    consents: list[tuple[str, str, str, bool, datetime]] = field(default_factory=list)
    contacts: list[tuple[str, str, str | None, datetime, datetime | None]] = field(default_factory=list)
    """Customer, campaign, channel, sent, unsubscribed."""
    erasures: list[tuple[str, datetime]] = field(default_factory=list)
    unreadable_refusals: list[str] = field(default_factory=list)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """By staging table."""
        return {
            "stg_customers": [(name, *addresses) for name, addresses in self.customers.items()],
            "stg_consents": list(self.consents),
            "stg_campaign_contacts": list(self.contacts),
            "stg_campaigns": [("letters", "post"), ("mails", "newsletter")],
            "stg_erasure_requests": list(self.erasures),
            "unreadable_refusals": [(customer,) for customer in self.unreadable_refusals],
        }


def local(day: date, clock: str = "12:00") -> datetime:
    """A moment by the clock of the shop, as the raw rows have it: UTC."""
    return datetime.combine(day, datetime.strptime(clock, "%H:%M").time(), ZONE).astimezone(UTC).replace(tzinfo=None)


def at(day: date, clock: str = "10:00") -> datetime:
    """A moment by the clock of the shop, as a delivery is told it."""
    return local(day, clock).replace(tzinfo=UTC)


class Shop:
    """A home folder with a working database and builds."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.database = Settings(home=home).database("shop")
        self.database.parent.mkdir(parents=True)
        self.raw = Raw()
        rest = {
            "members": {"feature": "order_count", "is": 0},
            "owner": "tests",
            "last_reviewed": date(2025, 1, 1),
            "description": "Of the tests.",
        }
        self._folder = PROJECT_DIR / "macros"
        macros = Macros({"business_timezone": str(ZONE)}, str)
        self._business_date = partial(macros.call, "business_date")
        names = macros.call("audiences")
        definitions = {name: {"name": name, "channel": "push", "minimum_size": 1, **rest, **AUDIENCES.get(name, {})} for name in names}
        self._texts = {name: yaml.safe_dump(definition) for name, definition in definitions.items()}
        with duckdb.connect(str(self.database)) as connection:
            for schema in ("staging", "rules", "intermediate", "audiences", "segments", "reporting"):
                connection.execute(f"create schema {schema}")
            connection.execute(
                "create table rules.contact_limits (channel varchar, messages_per_day integer, contact_days_per_week integer, "
                "quiet_from varchar, quiet_until varchar)"
            )
            insert(connection, "rules.contact_limits", [(channel, *limits, None, None) for channel, limits in LIMITS.items()])
            for seed in ("thresholds", "contact_channels"):
                connection.execute(f"create table rules.{seed} as from read_csv('{PROJECT_DIR / 'seeds' / seed}.csv', header = true)")
            for name in names:
                connection.execute(f"create table audiences.{name} (customer_id varchar, as_of_date date)")

    def land(self) -> None:
        """Stage what has landed, as a night does before it is stopped: no build comes of it."""
        with duckdb.connect(str(self.database)) as connection:
            for table, rows in self.raw.rows().items():
                connection.execute(f"create or replace temp table raw ({COLUMNS[table]})")
                insert(connection, "raw", rows)
                days = "".join(f", {self._business_date(f'{column}_at')} as {column}_date" for column in DATES.get(table, ()))
                connection.execute(f"create or replace table staging.{table} as select *{days} from raw")

    def retire(self, name: str) -> None:
        """Remove an audience as its author does: its file, and its name from the list of all."""
        self._texts = {each: text for each, text in self._texts.items() if each != name}
        self._folder = Path(shutil.copytree(self._folder, self.home.with_name(f"macros_without_{name}")))
        catalogue = self._folder / "audiences" / "audiences.sql"
        text = catalogue.read_text(encoding="utf-8")
        assert f"        '{name}',\n" in text
        catalogue.write_text(text.replace(f"        '{name}',\n", ""), encoding="utf-8")

    def reach(self, name: str, channel: str) -> None:
        """Give an audience another channel, as its author does."""
        self._texts = {**self._texts, name: yaml.safe_dump({**yaml.safe_load(self._texts[name]), "channel": channel})}

    def night(self, day: date, members: Mapping[str, Iterable[str]]) -> Build:
        """Land, build and publish: `members` meet the conditions of the audiences of the tests."""
        self.land()
        macros = self._macros(day)
        with duckdb.connect(str(self.database)) as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute(
                "create or replace table intermediate.int_customers as "
                f"select customer_id, date '{day}' as as_of_date from staging.stg_customers"
            )
            for name in AUDIENCES:
                connection.execute(f"delete from audiences.{name}")
                insert(connection, f"audiences.{name}", [(member, day) for member in members.get(name, ())])
            for model, folder in MODELS.items():
                connection.execute(f"create or replace table {SCHEMAS[model]}.{model} as {self._compiled(macros, model, folder)}")
        return self._publish(day)

    def _macros(self, day: date) -> Macros:
        variables = {"as_of_date": day.isoformat(), "business_timezone": str(ZONE)}
        return Macros(
            variables, lambda model: f"{SCHEMAS.get(model, self._schema(model))}.{model}", definitions=self._texts, folder=self._folder
        )

    def _schema(self, model: str) -> str:
        return "audiences" if model in self._texts else "staging"

    def _compiled(self, macros: Macros, model: str, folder: str) -> str:
        from dbt_common.clients.jinja import get_environment

        text = (PROJECT_DIR / "models" / folder / f"{model}.sql").read_text(encoding="utf-8")
        return str(get_environment().from_string(text).render(macros._context))

    def _publish(self, day: date) -> Build:
        # Ids tell seconds apart, and no real night begins in the second of another one.
        started_at = max((datetime.now(UTC), *(build.started_at + timedelta(seconds=1) for build in list_builds(self.home))))
        build = start_build(self.home, "shop", day, "tests", started_at=started_at, business_timezone=str(ZONE))
        with duckdb.connect(str(build_dir(self.home, build.id) / "segments.duckdb")) as connection:
            connection.execute(f"attach '{self.database}' as working (read_only)")
            connection.execute("create schema published")
            for table in ("audience_memberships", "audiences", "people"):
                connection.execute(f"create table published.{table} as from working.{SCHEMAS[table]}.{table}")
        swap(self.home, build.id)
        return mark_published(self.home, build.id, {})


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[Any, ...]]) -> None:
    """All rows at once."""
    if rows:
        marks = ", ".join([f"({', '.join('?' * len(rows[0]))})"] * len(rows))
        connection.execute(f"insert into {table} values {marks}", [value for row in rows for value in row])


# --- the rules once more, in plain Python ----------------------------------------------------------------------------------------


def day_of(moment: datetime) -> date:
    """The day that the clock of the shop showed."""
    return moment.replace(tzinfo=UTC).astimezone(ZONE).date()


def address(raw: Raw, customer: str, channel: str) -> str | None:
    """What a message is addressed to, as it is hashed."""
    email, phone = raw.customers[customer]
    if channel == "email":
        return email.strip().lower() if email and "@" in email else None
    if channel == "sms":
        digits = re.sub(r"[ \-()/.]", "", (phone or "").replace("(0)", ""))
        found = re.fullmatch(r"(?:\+|00)([1-9]\d{7,14})", digits)
        return found[1] if found else None
    return customer


def key(raw: Raw, customer: str, channel: str) -> str | None:
    """The contact key of a customer."""
    told = address(raw, customer, channel)
    return hashlib.sha256(told.encode()).hexdigest() if told else None


def has_agreed(raw: Raw, customer: str, channel: str, day: date, is_underway: bool) -> bool:
    """Whether the customer has allowed it before the day and not refused since: while it is underway every no counts, whatever its date."""

    def has_come(when: datetime) -> bool:
        return is_underway or day_of(when) < day

    if any(who == customer and has_come(when) for who, when in raw.erasures):
        return False
    words = [
        (when, granted)
        for who, purpose, through, granted, when in raw.consents
        if who == customer
        and purpose == "marketing"
        and through in (channel, "any")
        and (day_of(when) < day if granted else has_come(when))
    ]
    last = max((when for when, _ in words), default=None)
    if last is None or not all(granted for when, granted in words if when == last):
        return False
    yes = max(when for when, granted in words if granted)
    unsubscribed = [
        when for who, _, through, _, when in raw.contacts if who == customer and through == channel and when is not None and has_come(when)
    ]
    return all(yes > when for when in unsubscribed)


def is_within_limits(raw: Raw, readers: list[str], channel: str, day: date, is_underway: bool) -> bool:
    """Whether one more message on `day` is within the limits: of the channel for all who read it together, of all channels for each."""
    sent = [
        (who, through, day_of(when))
        for who, _, through, when, _ in raw.contacts
        if who in readers and (day_of(when) <= day if is_underway else day_of(when) < day)
    ]
    together = [when for _, through, when in sent if through == channel]
    each = [[when for who, _, when in sent if who == reader] for reader in readers]
    for limited, days in ((channel, together), *(("any", days) for days in each)):
        per_day, per_week = LIMITS[limited]
        before = {when for when in days if day - timedelta(days=6) <= when < day}
        if days.count(day) + 1 > per_day or len(before) + 1 > per_week:
            return False
    return True


def may_be_written_to(raw: Raw, customer: str, channel: str, day: date, is_underway: bool = False) -> bool:
    """Whether the customer may be, and everybody else who reads the same mail: at the opening of the day, or while it is underway."""
    told = address(raw, customer, channel)
    if told is None:
        return False
    readers = [other for other in raw.customers if address(raw, other, channel) == told]
    agreed = all(has_agreed(raw, other, channel, day, is_underway) for other in readers)
    return agreed and is_within_limits(raw, readers, channel, day, is_underway)


def is_held_out(audience: str, customer: str) -> bool:
    """Whether the customer is on the side that is never contacted."""
    percent = AUDIENCES[audience].get("holdout_percent", 0)
    share = int(hashlib.md5(f"{audience}:{customer}".encode(), usedforsecurity=False).hexdigest()[:8], 16) / 2**32
    return share < int(percent) / 100  # type: ignore[call-overload]


def to_deliver(raw_of_build: Raw, raw_now: Raw, audience: str, members: Iterable[str], as_of: date, today: date) -> set[str]:
    """The keys that a delivery has to hold, and no others."""
    channel = str(AUDIENCES[audience]["channel"])
    allowed: dict[str, list[bool]] = {}
    for member in members:
        told = key(raw_of_build, member, channel)
        if told is not None:
            allowed.setdefault(told, []).append(
                not is_held_out(audience, member)
                and may_be_written_to(raw_of_build, member, channel, as_of)
                and may_be_written_to(raw_now, member, channel, today, is_underway=True)
            )
    return {told for told, each in allowed.items() if all(each)}


# --- what a destination makes of a delivery --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Received:
    """A delivery as somebody reads it who trusts the manifest alone."""

    manifest: dict[str, Any]
    members: set[str]
    added: set[str]
    removed: set[str]


def read_folder(folder: Path) -> Received:
    """The last delivery below a folder: what the manifest names, checksums compared."""
    latest = json.loads((folder / "latest.json").read_text(encoding="utf-8"))
    path = folder / latest["manifest"]
    content = path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == latest["manifest_sha256"]
    manifest = json.loads(content)
    lists: dict[str, set[str]] = {}
    for file in manifest["files"]:
        data = path.with_name(file["name"])
        assert hashlib.sha256(data.read_bytes()).hexdigest() == file["sha256"]
        assert data.stat().st_size == file["bytes"]
        cursor = duckdb.connect(":memory:").execute(f"from '{data}'")
        assert [column[0] for column in cursor.description] == [column["name"] for column in file["columns"]] == [manifest["key"]["column"]]
        rows = [value for (value,) in cursor.fetchall()]
        assert len(rows) == file["rows"] == len(set(rows))
        lists[file["list"]] = set(rows)
    received = Received(manifest, **lists)
    counts = manifest["counts"]
    assert (counts["members"], counts["added"], counts["removed"]) == (len(received.members), len(received.added), len(received.removed))
    came, left = counts["added"] - counts["added_of_unfinished"], counts["removed"] - counts["removed_of_unfinished"]
    assert counts["previous"] + came - left == counts["members"]
    assert manifest["keys_sha256"] == hashlib.sha256("".join(f"{each}\n" for each in sorted(received.members)).encode()).hexdigest()
    return received
