"""After any nights every table holds what a full rebuild of the last day holds, those that readers get and those on the way there.

And history is that of a home which knew all rows from the start.

The shop below has every raw table. Between its nights come late rows, corrections, rows that come again as they are, cancellations, returns
of old orders, an order before its customer, changed customers, products and campaigns; the day described stays, moves by days, by months,
and back. The models run by dbt in this process, without the checks that every night has anyway.
"""

import csv
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from orchestration.corrections import Corrections, correct_history, outdated_days
from orchestration.ingest.landing import land
from orchestration.ingest.source import resolve_source
from orchestration.prediction import facts
from orchestration.progress import Progress
from orchestration.publishing import builds
from orchestration.quality import operations
from orchestration.reproduction import begin_reproduction
from orchestration.settings import Settings
from orchestration.transform import dbt
from orchestration.transform.manifest import published_tables

Row = dict[str, Any]
Rows = dict[str, list[Row]]

CUSTOMERS = [f"c{number:02}" for number in range(30)]
FIRST_DAY = date(2021, 9, 1)
# Published are the tables of segments and the views of reporting.
COMPARED_SCHEMAS = ("intermediate", "features", "prediction", "segments", "history")
REPORTING = "reporting"
# What a night writes for itself: whom it computed again, what the log said of the next day before it was written, and its number.
NOT_COMPARED = ("int_refreshed_customers", "int_refreshed_order_lines", "next_memberships")
COMPARED_COLUMNS = "select columns(lambda name: name <> 'written_in_run')"


@dataclass
class Shop:
    """Makes raw rows, at random but the same ones on every machine."""

    draw: random.Random = field(default_factory=lambda: random.Random(20260101))  # noqa: S311
    numbers: int = 0
    written: Rows = field(default_factory=dict)

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def moment(self, start: date, end: date) -> datetime:
        day = start + timedelta(days=self.draw.randrange((end - start).days))
        return datetime(day.year, day.month, day.day, self.draw.randrange(24), self.draw.randrange(60))

    def later(self, moment: datetime, days: int, share: float = 0.6) -> datetime | None:
        """Some time up to some days after, for a share of the moments."""
        return moment + timedelta(minutes=self.draw.randrange(days * 24 * 60)) if self.draw.random() < share else None

    def rule_tables(self) -> Rows:
        choice = self.draw.choice
        categories = ["Dairy", "Wine", "Baby", "Garden", None]
        return {
            "products": [self.product(f"p{number}", choice(categories)) for number in range(12)],
            "stores": [
                {"store_id": f"s{number}", "city": choice(["Bonn", "Graz"]), "region": choice(["north", "south"]), "country": "DE"}
                for number in range(4)
            ],
            "campaigns": [self.campaign(f"k{number}", choice(["email", "letter", "sms", None])) for number in range(5)],
            "customers": [self.customer(customer) for customer in CUSTOMERS],
        }

    def product(self, product_id: str, category: str | None) -> Row:
        tier = self.draw.choice(["budget", "standard", "premium", None])
        own = self.draw.choice(["true", "false"])
        return {"product_id": product_id, "category": category, "department": "food", "quality_tier": tier, "is_private_label": own}

    def campaign(self, campaign_id: str, channel: str | None) -> Row:
        return {"campaign_id": campaign_id, "channel": channel, "cost_amount": self.draw.choice([None, 10, 99.99])}

    def customer(self, customer: str) -> Row:
        signed_up = self.later(datetime(2021, 6, 1), 1300, share=0.8)
        return {
            "customer_id": customer,
            "signed_up_at": signed_up,
            "updated_at": self.moment(date(2024, 1, 1), date(2025, 6, 1)),
            "birth_date": self.draw.choice([None, "1980-02-29", "1955-07-01", "2001-12-31"]),
            "country": self.draw.choice(["DE", "US", None, "XX"]),
            "loyalty_tier": self.draw.choice([None, "silver", "gold"]),
            "referred_by_customer_id": self.draw.choice([None, None, *CUSTOMERS]),
            "preferred_contact_channel": self.draw.choice([None, "email", "sms"]),
        }

    def events(self, start: date, end: date, orders: int) -> Rows:
        """Events of some time: that many orders, and as much of everything else."""
        rows: Rows = {}
        draw = self.draw
        campaigns = ["k0", "k1", "k2", "k3", "k4", "k9"]
        for _ in range(orders):
            customer, ordered, order = draw.choice(CUSTOMERS), self.moment(start, end), f"o{self.number()}"
            for line in range(draw.choice([1, 1, 2, 3])):
                rows.setdefault("transactions", []).append(self.line(order, line, customer, ordered))
            sent = self.moment(start, end)
            rows.setdefault("campaign_contacts", []).append(
                {
                    "contact_id": f"m{self.number()}",
                    "campaign_id": draw.choice(campaigns),
                    "customer_id": draw.choice(CUSTOMERS),
                    "channel": draw.choice([None, "email", "post", "sms"]),
                    "sent_at": sent,
                    "delivered_at": self.later(sent, 3, share=0.3),
                    "opened_at": self.later(sent, 20, share=0.3),
                    "clicked_at": self.later(sent, 30, share=0.2),
                    "unsubscribed_at": self.later(sent, 40, share=0.05),
                }
            )
            for _ in range(3):
                rows.setdefault("web_events", []).append(
                    {
                        "event_id": f"w{self.number()}",
                        "customer_id": draw.choice(CUSTOMERS),
                        "occurred_at": self.moment(start, end),
                        "event_name": draw.choice(["visit", "product_view", "cart_add", "purchase", "scroll"]),
                        "channel": draw.choice(["web", "App", None]),
                    }
                )
            opened = self.moment(start, end)
            if draw.random() < 0.3:
                rows.setdefault("support_tickets", []).append(
                    {
                        "ticket_id": f"t{self.number()}",
                        "customer_id": draw.choice(CUSTOMERS),
                        "opened_at": opened,
                        "first_reply_at": self.later(opened, 5),
                        "customer_replied_at": self.later(opened, 30, share=0.3),
                        "closed_at": self.later(opened, 60),
                        "topic": draw.choice(["delivery", "returns", None]),
                        "satisfaction_score": draw.choice([None, 1, 3, 5]),
                    }
                )
            rows.setdefault("coupon_redemptions", []).append(
                {
                    "redemption_id": f"r{self.number()}",
                    "customer_id": customer if draw.random() < 0.6 else draw.choice(CUSTOMERS),
                    "campaign_id": draw.choice([*campaigns, None]),
                    "order_id": draw.choice([order, None]),
                    "redeemed_at": self.moment(start, end),
                }
            )
            rows.setdefault("loyalty_ledger", []).append(
                {
                    "entry_id": f"l{self.number()}",
                    "customer_id": customer,
                    "occurred_at": ordered,
                    "entry_type": draw.choice(["earn", "earn", "redeem", "expire", "adjust"]),
                    "points": draw.choice([None, -5, 10, 120]),
                    "order_id": draw.choice([order, None]),
                }
            )
            if draw.random() < 0.15:
                rows.setdefault("consents", []).append(
                    {
                        "customer_id": draw.choice(CUSTOMERS),
                        "purpose": draw.choice(["marketing", "special_category"]),
                        "channel": draw.choice([None, "email"]),
                        "is_granted": draw.choice(["true", "false"]),
                        "changed_at": self.moment(start, end),
                    }
                )
                rows.setdefault("survey_answers", []).append(
                    {
                        "customer_id": draw.choice(CUSTOMERS),
                        "question": draw.choice(["main_need", "recommend", "preferred_contact_channel"]),
                        "answer": draw.choice(["quality", "9", "email"]),
                        "answered_at": self.moment(start, end),
                    }
                )
                rows.setdefault("referrals", []).append(
                    {
                        "referrer_customer_id": draw.choice(CUSTOMERS[:15]),
                        "referred_customer_id": draw.choice([None, *CUSTOMERS[15:]]),
                        "referred_at": self.moment(start, end),
                    }
                )
        ordered_ids = [line["order_id"] for line in rows["transactions"]]
        for contact in rows["campaign_contacts"]:
            contact["converted_order_id"] = draw.choice(ordered_ids) if draw.random() < 0.3 else None
        return rows

    def line(self, order: str, line: int, customer: str, ordered: datetime) -> Row:
        draw = self.draw
        return {
            "order_id": order,
            "line_id": line,
            "customer_id": customer,
            "ordered_at": ordered,
            "amount": draw.choice([0, 5, 12.34, 60, -8]),
            "product_id": draw.choice([*(f"p{number}" for number in range(12)), "gone", None]),
            "quantity": draw.choice([None, 1, 3]),
            "discount_amount": draw.choice([None, 0, 2]),
            "coupon_amount": draw.choice([None, None, 1]),
            "cost_amount": draw.choice([None, 3]),
            "store_id": draw.choice(["s0", "s1", None]),
            "channel": draw.choice(["web", "store", "App", None]),
            "payment_method": draw.choice(["card", "Cash", "unknown", None]),
            "status": draw.choice(["completed", "completed", "completed", "completed", "returned", "cancelled"]),
        }

    def corrections(self, share: float) -> Rows:
        """Newer versions of earlier rows: amounts, customers, days and statuses that were wrong; replies, openings and closings since."""
        draw = self.draw
        changed: Rows = {}
        for table, rows in self.written.items():
            for row in draw.sample(rows, k=int(len(rows) * share)) if table in CORRECTED else []:
                column = draw.choice(CORRECTED[table])
                new = dict(row)
                match column:
                    case "customer_id":
                        new[column] = draw.choice(CUSTOMERS)
                    case "status":
                        new[column] = "cancelled"
                    case "amount" | "satisfaction_score" | "points":
                        new[column] = 44
                    case _ if isinstance(row.get(column), datetime) or column.endswith("_at"):
                        base = row.get(column) or row["sent_at" if table == "campaign_contacts" else "opened_at"]
                        new[column] = base + timedelta(days=draw.randrange(50))
                changed.setdefault(table, []).append(new)
        return changed

    def repeats(self, rows: int) -> Rows:
        """Orders, contacts and web events that come again as they are, twice in one batch."""
        tables = ("transactions", "campaign_contacts", "web_events")
        return {table: self.draw.sample(self.written[table], k=rows) * 2 for table in tables}

    def returns(self, rows: int, day: date) -> Rows:
        """Lines of old orders that come back on the days before."""
        old = self.draw.sample(self.written["transactions"], k=rows)
        lines = [{**line, "line_id": 90 + self.number(), "ordered_at": self.moment(day - timedelta(days=3), day)} for line in old]
        return {"transactions": [{**line, "status": "returned", "amount": 5} for line in lines]}


CORRECTED = {
    "transactions": ["amount", "customer_id", "ordered_at", "status"],
    "campaign_contacts": ["delivered_at", "opened_at", "clicked_at", "unsubscribed_at", "sent_at", "customer_id"],
    "support_tickets": ["first_reply_at", "closed_at", "satisfaction_score", "customer_id"],
    "coupon_redemptions": ["redeemed_at", "customer_id"],
    "loyalty_ledger": ["points", "occurred_at", "customer_id"],
    "web_events": ["occurred_at", "customer_id"],
}


def together(*batches: Rows) -> Rows:
    """Several batches as one."""
    tables = sorted({table for batch in batches for table in batch})
    return {table: [row for batch in batches for row in batch.get(table, [])] for table in tables}


class Warehouse:
    """A working database that nights are run on, and others of the same landing to compare it with."""

    def __init__(self, folder: Path) -> None:
        self.source_folder = folder / "shop"
        self.source_folder.mkdir()
        (self.source_folder / "source.yml").write_text(
            "currency: EUR\nbusiness_timezone: Europe/Berlin\nholiday_country: DE\nvars: {history_correction_days: 300}\n"
        )
        self.source = resolve_source(self.source_folder)
        self.shop = Shop()
        self.settings = Settings(home=folder / "home", source=str(self.source_folder))
        self.database = self.settings.database(self.source.name)
        self.rebuilt = folder / "rebuilt" / "warehouse.duckdb"
        self.batches = 0

    def deliver(self, batch: Rows) -> datetime:
        """Bring a batch of rows and land it; returns a moment after that."""
        self.batches += 1
        for table, rows in batch.items():
            path = self.source_folder / table / f"{self.batches}.csv"
            path.parent.mkdir(exist_ok=True)
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, fieldnames=list(dict.fromkeys(name for row in rows for name in row)))
                writer.writeheader()
                writer.writerows(rows)
            self.shop.written.setdefault(table, []).extend(rows)
        loaded_at = datetime(2026, 1, self.batches, tzinfo=UTC)
        land(self.source, self.settings.landing(self.source.name), loaded_at)
        return loaded_at + timedelta(hours=1)

    def dbt(self, day: date, *arguments: str, database: Path, as_known_at: datetime | None = None) -> None:
        """One dbt command on a working database."""
        manifest = dbt._manifest(self.settings, self.source)
        os.environ["SEGMENTS_DATABASE"] = str(database)
        flags = dbt.common_arguments(self.settings, dbt.variables(self.source, day, str(day), as_known_at))
        result = dbt.invoke([*arguments, "--no-write-json", *flags], manifest)
        assert result.success, result.exception or dbt._failure_message(result, database, Path())

    def night(self, day: date, *flags: str, database: Path | None = None, as_known_at: datetime | None = None) -> int:
        """All models for one day, and what a night enters about itself.

        Returns how many pairs of roll-up and customer were computed again.
        """
        database = database or self.database
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        is_new = not database.exists() or as_known_at is not None
        arguments = ["build", "--exclude-resource-type", "test", "unit_test", *([] if is_new else ["seed"]), *flags]
        operations.record_build_started(database, str(day), day, self.source.name, "code", moment, as_known_at)
        with facts.transaction(database):  # as before the first fit
            pass
        self.dbt(day, *arguments, database=database, as_known_at=as_known_at)
        operations.record_row_counts(database, str(day))
        operations.record_build_finished(database, str(day), builds.RECORDED, moment)
        with duckdb.connect(str(database), read_only=True) as connection:
            row = connection.execute("select count(*) from intermediate.int_refreshed_customers").fetchone()
        assert row is not None
        return int(row[0])

    def differences_from_rebuild(self, day: date) -> list[str]:
        """The tables in which a full refresh of this day has other rows: from the same landing, with the same days before it in history."""
        self.rebuilt.parent.mkdir(exist_ok=True)
        shutil.copy(self.database, self.rebuilt)
        self.night(day, "--full-refresh", database=self.rebuilt)
        return self.differences_from(self.rebuilt)

    def differences_from(self, other: Path) -> list[str]:
        """The tables in which another working database has other rows, those of readers and those on the way to them."""
        with duckdb.connect() as connection:
            connection.execute(f"attach '{self.database}' as night (read_only)")
            connection.execute(f"attach '{other}' as other (read_only)")
            tables = connection.execute(
                "select database_name, schema_name || '.' || table_name from duckdb_tables()"
                f" where schema_name in {COMPARED_SCHEMAS} and table_name not in {NOT_COMPARED}"
            ).fetchall()
            names = {name for _, name in tables}
            assert len(tables) == 2 * len(names) > 100
            different = [
                f"{name}: {missing} rows only in the other, {extra} only in the nights"
                for name in sorted(names)
                for missing, extra in connection.execute(
                    f"select (select count(*) from ({COMPARED_COLUMNS} from other.{name} except all {COMPARED_COLUMNS} from night.{name})),"
                    f" (select count(*) from ({COMPARED_COLUMNS} from night.{name} except all {COMPARED_COLUMNS} from other.{name}))"
                ).fetchall()
                if missing or extra
            ]
        ours, others = reporting(self.database), reporting(other)
        wanted = {f"{table.schema}.{table.name}" for table in published_tables(dbt.parse(self.settings, self.source))}
        assert wanted <= names | {f"{REPORTING}.{name}" for name in ours}, "every published table is compared"
        return different + [f"{REPORTING}.{name}" for name in ours if ours[name] != others[name]]


def reporting(database: Path) -> Rows:
    """The rows of everything that readers get, sorted; most of it are views."""
    with duckdb.connect(str(database), read_only=True) as connection:
        query = "select table_name from information_schema.tables where table_schema = ? order by 1"
        names = connection.execute(query, [REPORTING]).fetchall()
        return {name: connection.execute(f"select * from {REPORTING}.{name} order by all").fetchall() for (name,) in names}


@dataclass
class Nights:
    """What a sequence of nights has left behind.

    Attributes:
        refreshed: how many pairs of roll-up and customer each night computed again.
        refreshed_orders: whose orders a night that only moved the day computed again.
        ordered_meanwhile: who ordered on the days it moved over.
        differences: the tables in which it was not what a full rebuild gives, after each night looked at.
        first: what readers got of the first night.
        first_again: the same day described again, as it was known then.
        days: the days that were recorded, in their order in time.
    """

    warehouse: Warehouse
    refreshed: dict[str, int] = field(default_factory=dict)
    refreshed_orders: set[str] = field(default_factory=set)
    ordered_meanwhile: set[str] = field(default_factory=set)
    differences: dict[str, list[str]] = field(default_factory=dict)
    first: Rows = field(default_factory=dict)
    first_again: Rows = field(default_factory=dict)
    days: list[date] = field(default_factory=list)

    def night(self, name: str, day: date) -> None:
        """One more night, compared with a full rebuild."""
        self.refreshed[name] = self.warehouse.night(day)
        self.differences[name] = self.warehouse.differences_from_rebuild(day)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    with pytest.MonkeyPatch.context() as environment:
        for name in ("SEGMENTS_DATABASE", "SEGMENTS_LANDING", "DO_NOT_TRACK"):
            environment.setenv(name, os.environ.get(name, ""))
        yield run_nights(Warehouse(tmp_path_factory.mktemp("roll_ups")))


def first_rows(shop: Shop) -> Rows:
    """What the shop begins with. Some of it lies beyond the first day described, so that days that only move have something to find."""
    return together(shop.rule_tables(), shop.events(FIRST_DAY, date(2025, 6, 1), orders=900))


def run_nights(warehouse: Warehouse) -> Nights:
    nights, shop = Nights(warehouse), warehouse.shop
    first_day, day = date(2025, 2, 27), date(2025, 3, 2)
    first_load = warehouse.deliver(first_rows(shop))
    nights.refreshed["first"] = warehouse.night(first_day)
    nights.first = reporting(warehouse.database)

    nights.night("three days on, over the end of a month, without a new row", day)
    with duckdb.connect(str(warehouse.database), read_only=True) as connection:
        computed = connection.execute(
            "select customer_id from intermediate.int_refreshed_customers where roll_up = 'int_orders'"
        ).fetchall()
        ordered = connection.execute(
            "select customer_id from staging.stg_transactions where order_date >= ? and order_date < ?", [first_day, day]
        ).fetchall()
    nights.refreshed_orders = {customer for (customer,) in computed}
    nights.ordered_meanwhile = {customer for (customer,) in ordered}

    stranger = shop.line("o-stranger", 1, "newcomer", datetime(2025, 3, 1, 12))
    late = shop.events(day - timedelta(days=40), day + timedelta(days=2), orders=4)
    late = together(late, shop.corrections(share=0.01), shop.repeats(5), shop.returns(3, day), {"transactions": [stranger]})
    warehouse.deliver(late)
    nights.night("late rows, and an order of somebody who is not a customer yet", day)

    changed = [shop.customer("newcomer"), shop.customer("c03"), shop.customer("c04")]
    rules = {"customers": changed, "products": [shop.product("p1", "Wine")], "campaigns": [shop.campaign("k1", "sms")]}
    warehouse.deliver(together(rules, shop.corrections(share=0.01)))
    written = ["int_refreshed_customers", "int_refreshed_order_lines", "int_orders", "int_customer_days", "int_customer_contacts"]
    warehouse.dbt(day - timedelta(days=100), "run", "--select", "staging", *written, database=warehouse.database)
    nights.night("a run of a day long ago broke off, with new rows that only some of the roll-ups saw", day)

    current = warehouse.database.read_bytes()
    as_known = replace(warehouse.settings, as_known_at=first_load)
    begin_reproduction(as_known, warehouse.source)
    warehouse.night(first_day, "--full-refresh", database=as_known.database(warehouse.source.name), as_known_at=first_load)
    nights.first_again = reporting(as_known.database(warehouse.source.name))
    assert warehouse.database.read_bytes() == current, "the current state is not touched by that"

    warehouse.deliver(shop.corrections(share=0.01))
    long_ago, much_later = day - timedelta(days=170), day + timedelta(days=230)
    nights.night("back by half a year, with a correction on the way", long_ago)
    nights.night("on by more than a year", much_later)

    nights.refreshed["once more"] = warehouse.night(much_later)

    # Nobody knows what the roll-ups stand at: they are written whole.
    with duckdb.connect(str(warehouse.database)) as connection:
        connection.execute("drop table operations.roll_up_state")
        connection.execute("delete from intermediate.int_orders where customer_id < 'c10'")
    nights.refreshed["after the state was lost"] = warehouse.night(much_later)
    nights.differences["after the state was lost"] = warehouse.differences_from(warehouse.rebuilt)
    nights.days = [long_ago, first_day, day, much_later]
    return nights


def test_nights_equal_full_rebuilds(nights: Nights) -> None:
    assert {name: tables for name, tables in nights.differences.items() if tables} == {}


def test_a_night_computes_again_whom_something_changed_for(nights: Nights) -> None:
    refreshed = dict(nights.refreshed)
    for whole in ("first", "after the state was lost"):
        assert refreshed.pop(whole) == 0, "a night that writes everything whole computes nobody again"
    assert refreshed.pop("once more") == 0, "nothing has changed"
    assert min(refreshed.values()) > 0
    assert nights.refreshed_orders == nights.ordered_meanwhile
    assert 0 < len(nights.refreshed_orders) < len(CUSTOMERS) / 2, "a night of few days computes few customers again"


def test_amounts_a_million_times_as_large_leave_everybody_where_they_were(nights: Nights, tmp_path: Path) -> None:
    # As in a currency of small units: what an ordinary customer spends has ten digits there.
    warehouse = Warehouse(tmp_path)
    rows = first_rows(warehouse.shop)
    for row in (row for found in rows.values() for row in found):
        row.update({name: value * 1_000_000 for name, value in row.items() if value and name.endswith("amount")})
    warehouse.deliver(rows)
    _, first_day, *_ = nights.days
    warehouse.night(first_day)
    ours = reporting(warehouse.database)
    assert ours["segment_memberships"] == nights.first["segment_memberships"]
    assert ours["segment_cut_points"] != nights.first["segment_cut_points"]


def test_a_day_is_had_again_as_it_was_known(nights: Nights) -> None:
    different = {view for view, rows in nights.first.items() if nights.first_again[view] != rows}
    assert different == {"builds", "build_row_counts"}, "the build says as known at which moment it is, beside builds made since"


def test_corrected_history_is_that_of_a_home_which_knew_the_rows_from_the_start(nights: Nights) -> None:
    warehouse = nights.warehouse
    _, first_day, day, last_day = nights.days
    assert outdated_days(warehouse.database) == [first_day, day]
    before = reporting(warehouse.database)
    described: list[date] = []

    def describe(job: str, day: date) -> SimpleNamespace:
        warehouse.night(day)
        described.append(day)
        return SimpleNamespace(succeeded=True, is_published=True, reason="")

    # New rows are staged already: each delivery above was.
    runner: Any = SimpleNamespace(run=describe, look_ahead=lambda last_recorded: True, progress=Progress(enabled=False))
    assert correct_history(runner, warehouse.settings, warehouse.source, last_day) == Corrections((first_day, day))
    describe("the night", last_day)
    assert described == [first_day, day, last_day]
    assert outdated_days(warehouse.database) == []
    assert reporting(warehouse.database)["segment_membership_history"] != before["segment_membership_history"]

    fresh = warehouse.rebuilt.parent / "fresh" / "warehouse.duckdb"
    for recorded_day in nights.days:
        warehouse.night(recorded_day, database=fresh)
    # When a load was examined, and for which days that mattered, is the one thing that has another past.
    assert [name for name in warehouse.differences_from(fresh) if not name.startswith("history.event_arrivals")] == []


def test_what_waited_for_its_customer_corrects_the_days_that_did_not_know_it(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SEGMENTS_DATABASE", "SEGMENTS_LANDING", "DO_NOT_TRACK"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    warehouse = Warehouse(tmp_path_factory.mktemp("waiting"))
    shop = warehouse.shop
    first_day, day = date(2025, 3, 1), date(2025, 3, 4)
    rows = together(shop.rule_tables(), shop.events(date(2024, 6, 1), first_day, orders=60))
    waiting, known = shop.line("o-waiting", 1, "first", datetime(2025, 2, 20, 12)), shop.line("o-known", 1, "c01", datetime(2025, 3, 1, 12))
    warehouse.deliver(together(rows, {"transactions": [waiting, known]}))
    warehouse.night(first_day)

    # The customer comes, and the order with it once more, as where a source delivers whole files.
    warehouse.deliver({"customers": [shop.customer("first")], "transactions": [waiting]})
    warehouse.dbt(first_day, "run", "--select", "+event_arrivals", database=warehouse.database)
    assert outdated_days(warehouse.database) == [first_day]

    # A correction waits alone in its load, which the day recorded then knows: it says nothing before its customer is there.
    warehouse.deliver({"transactions": [{**known, "customer_id": "second", "ordered_at": datetime(2025, 3, 2, 12)}]})
    warehouse.night(day)
    assert outdated_days(warehouse.database) == [first_day]
    warehouse.deliver({"customers": [shop.customer("second")]})
    warehouse.dbt(day, "run", "--select", "+event_arrivals", database=warehouse.database)
    assert outdated_days(warehouse.database) == [first_day, day]
    for recorded_day in (first_day, day):
        warehouse.night(recorded_day)
    assert outdated_days(warehouse.database) == []

    fresh = warehouse.rebuilt.parent / "fresh" / "warehouse.duckdb"
    for recorded_day in (first_day, day):
        warehouse.night(recorded_day, database=fresh)
    # When a load was examined, and for which days that mattered, is the one thing that has another past.
    assert [name for name in warehouse.differences_from(fresh) if not name.startswith("history.event_arrivals")] == []
