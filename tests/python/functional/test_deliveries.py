"""Deliveries of a synthetic retailer over two nights, between which people change their minds: nobody wrong is in any of them.

Whom a delivery may reach is asked of the raw files once more, in plain Python: nothing of it is shared with the models.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from orchestration.delivery.export import export_audience
from tests.python.functional.conftest import Served, segments, write_csv

ZONE = ZoneInfo("Europe/Berlin")
NIGHTS = (date(2025, 12, 10), date(2025, 12, 12))
# The audiences of this retailer that are large enough to be contacted, by their channel.
AUDIENCES = {
    "lapsed_worth_reengaging": "email",
    "one_time_buyers_before_a_holiday": "email",
    "top_customers_of_each_store": "post",
    "top_payers_exclusive_offer": "post",
}
HOLDOUT = {"lapsed_worth_reengaging": 0.1, "one_time_buyers_before_a_holiday": 0.1}
CHANNELS = {"e-mail": "email", "e_mail": "email", "newsletter": "email", "letter": "post", "direct mail": "post", "direct_mail": "post"}
LIMITS = {"email": (1, 3), "post": (1, 1), "any": (2, 4)}


# --- the raw files once more -----------------------------------------------------------------------------------------------------


@dataclass
class Raw:
    """What stands in the raw files: the last readable version of each row."""

    emails: dict[str, str]
    consents: dict[str, list[tuple[str, str, bool, datetime]]]
    contacts: dict[str, list[tuple[str, datetime, datetime | None]]]
    erasures: dict[str, list[datetime]]


def read_raw(folder: Path) -> Raw:
    """Read every file of the four tables, later files over earlier ones. Rows with a value that cannot be read count for nothing."""

    def rows(table: str, key: tuple[str, ...], casts: Mapping[str, str]) -> list[dict[str, Any]]:
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        for path in sorted((folder / table).iterdir()):
            reader = (
                f"'{path}'" if path.suffix == ".parquet" else f"read_csv('{path}', all_varchar = true, ignore_errors = true, header = true)"
            )
            cursor = duckdb.connect(":memory:").execute(f"select * from {reader}")
            names = [column[0] for column in cursor.description]
            for values in cursor.fetchall():
                row = dict(zip(names, values, strict=True))
                read = {name: readable(row.get(name), kind) for name, kind in casts.items()}
                if any(read[name] is UNREADABLE for name in casts):
                    continue
                found[tuple(read[name] for name in key)] = read
        return list(found.values())

    emails = {
        row["customer_id"]: row["email"].strip().lower()
        for row in rows("customers", ("customer_id",), {"customer_id": "text", "email": "text?"})
        if row["email"] and "@" in row["email"]
    }
    consents = defaultdict(list)
    kinds = {"customer_id": "text", "purpose": "code", "channel": "code?", "is_granted": "boolean", "changed_at": "time"}
    for row in rows("consents", ("customer_id", "purpose", "channel", "changed_at"), kinds):
        consents[row["customer_id"]].append((row["purpose"], row["channel"] or "any", row["is_granted"], row["changed_at"]))
    campaigns = {
        row["campaign_id"]: row["channel"] for row in rows("campaigns", ("campaign_id",), {"campaign_id": "text", "channel": "code?"})
    }
    contacts = defaultdict(list)
    kinds = {
        "contact_id": "text",
        "customer_id": "text",
        "campaign_id": "text",
        "channel": "code?",
        "sent_at": "time",
        "unsubscribed_at": "time?",
    }
    for row in rows("campaign_contacts", ("contact_id",), kinds):
        told = row["channel"] or campaigns.get(row["campaign_id"]) or "other"
        contacts[row["customer_id"]].append((CHANNELS.get(told, told), row["sent_at"], row["unsubscribed_at"]))
    erasures = defaultdict(list)
    for row in rows("erasure_requests", ("customer_id", "requested_at"), {"customer_id": "text", "requested_at": "time"}):
        erasures[row["customer_id"]].append(row["requested_at"])
    return Raw(emails, consents, contacts, erasures)


UNREADABLE = object()


def readable(value: Any, kind: str) -> Any:
    """A value as its kind; UNREADABLE where it is none, or missing and needed."""
    text = None if value is None else str(value).strip()
    if not text:
        return None if kind.endswith("?") else UNREADABLE
    match kind.rstrip("?"):
        case "time":
            try:
                return datetime.fromisoformat(text).replace(tzinfo=None)
            except ValueError:
                return UNREADABLE
        case "boolean":
            return {"true": True, "false": False}.get(text.lower(), UNREADABLE)
        case "code":
            return text.lower()
    return text


def day_of(moment: datetime) -> date:
    """The day that the clock of the business showed."""
    return moment.replace(tzinfo=UTC).astimezone(ZONE).date()


def objections(raw: Raw, customer: str, channel: str, day: date, *, is_underway: bool) -> list[str]:
    """Why this customer may not be written to on a day, by what was known at its opening or while it is underway."""
    until = day + timedelta(days=1) if is_underway else day
    found = []
    if any(day_of(when) < until for when in raw.erasures.get(customer, ())):
        found.append("erased")
    words = [
        (when, granted)
        for purpose, through, granted, when in raw.consents.get(customer, ())
        if purpose == "marketing" and CHANNELS.get(through, through) in (channel, "any") and day_of(when) < until
    ]
    yes = max((when for when, granted in words if granted), default=None)
    no = max((when for when, granted in words if not granted), default=None)
    if yes is None or (no is not None and no >= yes):
        found.append("no consent")
    contacts = [contact for contact in raw.contacts.get(customer, ()) if day_of(contact[1]) < until]
    if any(
        through == channel and gone is not None and day_of(gone) < until and (yes is None or gone >= yes) for through, _, gone in contacts
    ):
        found.append("unsubscribed")
    for limited in (channel, "any"):
        days = [day_of(sent) for through, sent, _ in contacts if limited in (through, "any")]
        per_day, per_week = LIMITS[limited]
        if days.count(day) >= per_day or len({each for each in days if day - timedelta(days=6) <= each < day}) >= per_week:
            found.append(f"over the limit of {limited}")
    return found


def is_held_out(audience: str, customer: str) -> bool:
    """Whether the customer is on the side that is never contacted."""
    digits = hashlib.md5(f"{audience}:{customer}".encode(), usedforsecurity=False).hexdigest()[:8]
    return int(digits, 16) < int(HOLDOUT.get(audience, 0) * 2**32)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --- two nights ------------------------------------------------------------------------------------------------------------------


@dataclass
class Retailer:
    """The source, the home, where deliveries go, the keys of each ({(audience, when): keys}), and what was known on each of the days."""

    source: Path
    home: Path
    to: Path
    delivered: dict[tuple[str, datetime], set[str]]
    known: dict[date, Raw]

    def deliver(self, day: date, hour: int) -> None:
        """Deliver every audience, and hold each of its changes against what was delivered before."""
        now = datetime.combine(day, datetime.min.time(), ZONE).replace(hour=hour)
        for audience in AUDIENCES:
            export_audience(self.home, audience, str(self.to), file_format="csv", now=now)
            latest = json.loads((self.to / audience / "latest.json").read_text(encoding="utf-8"))
            folder = (self.to / audience / latest["manifest"]).parent
            lists = {
                name: set((folder / f"{name}.csv").read_text(encoding="utf-8").split()[1:]) for name in ("members", "added", "removed")
            }
            before = max(((when, keys) for (each, when), keys in self.delivered.items() if each == audience), default=(None, set()))[1]
            assert (before | lists["added"]) - lists["removed"] == lists["members"]
            self.delivered[(audience, now)] = lists["members"]


@pytest.fixture(scope="module")
def retailer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Retailer]:
    """Night, deliveries; people change their minds; deliveries of the day after, by a second night and once more in its afternoon."""
    folder = tmp_path_factory.mktemp("deliveries")
    source, home = folder / "retailer", folder / "home"
    assert segments("generate", str(source), "--customers", "600", "--months", "12", "--seed", "3").exit_code == 0
    with (source / "source.yml").open("a", encoding="utf-8") as file:
        file.write("vars: {history_correction_days: 0}\n")  # the days between are not what is tested here, and cost a night each
    shop = Retailer(source, home, folder / "to", {}, {})
    for night in NIGHTS:
        if night != NIGHTS[0]:
            change_minds(shop)
        run = segments("nightly", "--source", str(source), "--as-of", str(night), "--home", str(home))
        assert run.exit_code == 0, run.output + run.errors
        shop.known[night] = read_raw(source)
        shop.deliver(night, 9)
        shop.deliver(night, 17)
    yield shop


def change_minds(shop: Retailer) -> None:
    """Each of those whom the first deliveries reached does one of these things, before the second night or on its day."""
    raw = shop.known[NIGHTS[0]]
    reached = sorted(
        customer
        for customer, email in raw.emails.items()
        if any(digest(told) in keys for keys in shop.delivered.values() for told in (email, customer))
    )
    second = NIGHTS[1]
    times = [f"{second - timedelta(days=1)} 22:59:59", f"{second - timedelta(days=1)} 23:00:00", f"{second - timedelta(days=2)} 12:00:00"]
    consents, contacts, erasures, customers = [], [], [], []
    for number, customer in enumerate(reached[::2]):
        time = times[number % 3]
        match number // 3 % 7:
            case 0:
                consents.append(f"{customer},marketing,any,false,{time}")
            case 1:
                consents.append(f"{customer},marketing,newsletter,false,{time}")
            case 2:
                erasures.append(f"{customer},{time}")
            case 3:
                contacts.append(f"gone-{number},c,{customer},email,2025-12-01 10:00:00,{time}")
            case 4:
                days = (1, 3, 5) if number % 2 else (2, 4, 6)
                contacts += [f"often-{number}-{back},c,{customer},email,{second - timedelta(days=back)} 10:00:00," for back in days]
            case 5:
                contacts.append(f"letter-{number},c,{customer},direct mail,{time},")
            case 6:
                customers.append(f"again-{customer},{raw.emails[customer].upper()}")
    write_csv(shop.source / "consents" / "9.csv", "customer_id,purpose,channel,is_granted,changed_at", consents)
    write_csv(shop.source / "erasure_requests" / "9.csv", "customer_id,requested_at", erasures)
    write_csv(shop.source / "campaign_contacts" / "9.csv", "contact_id,campaign_id,customer_id,channel,sent_at,unsubscribed_at", contacts)
    write_csv(shop.source / "customers" / "9.csv", "customer_id,email", customers)


def test_nobody_wrong_is_in_any_delivery(retailer: Retailer) -> None:
    assert len(retailer.delivered) == 4 * len(AUDIENCES)
    members = {(audience, night): members_of(retailer.home, audience, night) for night in NIGHTS for audience in AUDIENCES}
    for (audience, now), keys in retailer.delivered.items():
        day = now.date()
        raw = retailer.known[day]
        readers = readers_of(raw)
        for key in keys:
            assert readers[key] & members[(audience, day)], "a member"
            for customer in readers[key]:
                for is_underway in (False, True):
                    found = objections(raw, customer, AUDIENCES[audience], day, is_underway=is_underway)
                    assert not found, (audience, now, customer, found)
                assert not (is_held_out(audience, customer) and customer in members[(audience, day)]), (audience, now, customer)


def readers_of(raw: Raw) -> dict[str, set[str]]:
    """The customers whom a key reaches, by key."""
    readers = defaultdict(set)
    for customer, email in raw.emails.items():
        readers[digest(email)].add(customer)
    for customer in raw.consents:
        readers[digest(customer)].add(customer)
    return readers


def members_of(home: Path, audience: str, night: date) -> set[str]:
    """The members of an audience in the build of a night."""
    (build,) = [path for path in sorted((home / "builds").iterdir()) if path.name.startswith(str(night))]
    with duckdb.connect(str(build / "segments.duckdb"), read_only=True) as connection:
        rows = connection.execute("select person_id from published.audience_memberships where audience_id = ?", [audience]).fetchall()
    return {person for (person,) in rows}


def test_the_deliveries_are_no_empty_ones_and_people_leave_them_for_each_reason(retailer: Retailer) -> None:
    """What the test above forbids has to be there to be held back: of everybody reached first, some are gone for each reason."""
    for audience in AUDIENCES:
        first, _, morning, afternoon = (keys for (each, _), keys in retailer.delivered.items() if each == audience)
        assert first and morning and afternoon, audience
        assert first - morning, audience
        assert afternoon <= morning
    raw = retailer.known[NIGHTS[1]]
    gone: set[str] = set()
    for customer in raw.emails:
        for audience, channel in AUDIENCES.items():
            key = digest(raw.emails[customer] if channel == "email" else customer)
            first, *_, last = (keys for (each, _), keys in retailer.delivered.items() if each == audience)
            if key in first - last:
                gone |= set(objections(raw, customer, channel, NIGHTS[1], is_underway=True))
    assert {"erased", "no consent", "unsubscribed", "over the limit of email", "over the limit of post"} <= gone


def test_deliveries_of_earlier_days_are_a_published_table(retailer: Retailer) -> None:
    rows = Served(retailer.home).query(
        "select audience_id, status, count(*), min(members) > 0 from published.audience_deliveries group by all order by all"
    )
    assert [row[:2] for row in rows] == [(audience, "delivered") for audience in sorted(AUDIENCES)]
    assert all(1 <= count <= 2 and has_members for _, _, count, has_members in rows)
