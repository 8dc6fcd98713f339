"""Nights that only make up for what changed leave the rows that a full refresh of the same day and landing leaves, in every table.

The shop below has every raw table. Between its nights come late rows, corrections, returns of old orders, an order before its customer, changed
customers, products and campaigns; the day described moves by one day, by days, by weeks, and back.
"""

import csv
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from orchestration.ingest.landing import land
from orchestration.ingest.source import resolve_source
from orchestration.quality import operations
from orchestration.settings import Settings
from orchestration.transform import dbt

Row = dict[str, Any]
Rows = dict[str, list[Row]]

CUSTOMERS = [f"c{number:02}" for number in range(30)]
FIRST_DAY = date(2021, 9, 1)
COMPARED_SCHEMAS = ("intermediate", "features", "segments")
# What a night writes for itself: whom it computed again.
NOT_COMPARED = ("int_refreshed_customers", "int_refreshed_order_lines")


@dataclass
class Shop:
    """Makes raw rows, at random but the same ones on every machine."""

    draw: random.Random = field(default_factory=lambda: random.Random(20260101))
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
        for contact in rows.get("campaign_contacts", []):
            contact["converted_order_id"] = draw.choice([line["order_id"] for line in rows["transactions"]]) if draw.random() < 0.3 else None
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
    return {
        table: [row for batch in batches for row in batch.get(table, [])] for table in sorted({table for batch in batches for table in batch})
    }


class Warehouse:
    """A working database that nights are run on, and full refreshes of copies of it to compare with."""

    def __init__(self, folder: Path) -> None:
        self.source_folder = folder / "shop"
        self.source_folder.mkdir()
        (self.source_folder / "source.yml").write_text("currency: EUR\nbusiness_timezone: Europe/Berlin\nholiday_country: DE\n")
        self.shop = Shop()
        self.settings = Settings(home=folder / "home", source=str(self.source_folder))
        self.copy = folder / "copy" / "warehouse.duckdb"
        self.batches = 0
        self.database = self.settings.database("shop")

    def deliver(self, batch: Rows) -> None:
        """Bring a batch of rows and land it."""
        self.batches += 1
        for table, rows in batch.items():
            path = self.source_folder / table / f"{self.batches}.csv"
            path.parent.mkdir(exist_ok=True)
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, fieldnames=list(dict.fromkeys(name for row in rows for name in row)))
                writer.writeheader()
                writer.writerows(rows)
            self.shop.written.setdefault(table, []).extend(rows)
        source = resolve_source(self.source_folder)
        land(source, self.settings.landing(source.name), datetime(2026, 1, self.batches))

    def run(self, day: date, *arguments: str, database: Path | None = None) -> None:
        """Run the models up to the segments for one day."""
        source = resolve_source(self.source_folder)
        self.database.parent.mkdir(parents=True, exist_ok=True)
        manifest = dbt._manifest(self.settings, source)
        dbt.bind_environment(self.settings, source)
        os.environ["SEGMENTS_DATABASE"] = str(database or self.database)
        operations.record_build_started(database or self.database, "build", day, source.name, "code", datetime(2026, 1, 1))
        flags = dbt.common_arguments(self.settings, dbt.variables(source, day, "build"))
        try:
            result = dbtRunner(manifest=manifest).invoke([*arguments, *flags])
        finally:
            DuckDBConnectionManager.close_all_connections()
        assert result.success, result.exception or dbt._failure_message(result)

    def night(self, day: date) -> int:
        """A night as it is run; returns how many pairs of roll-up and customer it computed again."""
        self.run(day, "run", "--select", "staging", "intermediate", "features", "segments")
        with duckdb.connect(str(self.database), read_only=True) as connection:
            row = connection.execute("select count(*) from intermediate.int_refreshed_customers").fetchone()
        assert row is not None
        return int(row[0])

    def differences(self, day: date) -> list[str]:
        """The tables in which a full refresh of this day, from the same landing, has other rows."""
        self.copy.parent.mkdir(exist_ok=True)
        shutil.copy(self.database, self.copy)
        self.run(day, "run", "--full-refresh", "--select", "staging", "intermediate", "features", "segments", database=self.copy)
        with duckdb.connect() as connection:
            connection.execute(f"attach '{self.database}' as night (read_only)")
            connection.execute(f"attach '{self.copy}' as whole (read_only)")
            tables = connection.execute(
                "select database_name, schema_name || '.' || table_name from duckdb_tables()"
                f" where schema_name in {COMPARED_SCHEMAS} and table_name not in {NOT_COMPARED}"
            ).fetchall()
            names = {name for _, name in tables}
            assert len(tables) == 2 * len(names) > 100
            return [
                f"{name}: {missing} rows only in the full refresh, {extra} only in the nights"
                for name in sorted(names)
                for missing, extra in connection.execute(
                    f"select (select count(*) from (from whole.{name} except all from night.{name})),"
                    f" (select count(*) from (from night.{name} except all from whole.{name}))"
                ).fetchall()
                if missing or extra
            ]


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    for name in ("SEGMENTS_DATABASE", "SEGMENTS_LANDING", "DO_NOT_TRACK"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    made = Warehouse(tmp_path)
    yield made
    DuckDBConnectionManager.close_all_connections()


def test_nights_equal_full_refreshes(warehouse: Warehouse) -> None:
    shop = warehouse.shop
    day = date(2025, 2, 27)
    # Some of what is loaded lies beyond the day described, so that days that only move have something to find.
    warehouse.deliver(together(shop.rule_tables(), shop.events(FIRST_DAY, date(2025, 6, 1), orders=900)))
    warehouse.run(day, "seed")
    assert warehouse.night(day) == 0, "the first night writes everything whole"

    pairs = []
    # One day, without a new row; over the start of a month.
    for step in (1, 3):
        day += timedelta(days=step)
        pairs.append(warehouse.night(day))
    assert warehouse.differences(day) == []

    # Late rows, corrections, returns of old orders, and an order of somebody who is not a customer yet.
    stranger = shop.line("o-stranger", 1, "newcomer", datetime(2025, 3, 1, 12))
    late = shop.events(day - timedelta(days=40), day + timedelta(days=2), orders=4)
    warehouse.deliver(together(late, shop.corrections(share=0.01), shop.returns(3, day), {"transactions": [stranger]}))
    pairs.append(warehouse.night(day))
    assert warehouse.differences(day) == []

    # The newcomer, changed customers, a product of another category and a campaign of another channel, while the day moves on by weeks.
    changed = [shop.customer("newcomer"), shop.customer("c03"), shop.customer("c04")]
    warehouse.deliver({"customers": changed, "products": [shop.product("p1", "Wine")], "campaigns": [shop.campaign("k1", "sms")]})
    day += timedelta(days=40)
    pairs.append(warehouse.night(day))
    assert warehouse.differences(day) == []

    # Back by half a year, with a correction on the way; and on again by a year and more.
    warehouse.deliver(shop.corrections(share=0.01))
    for step in (-170, 400):
        day += timedelta(days=step)
        pairs.append(warehouse.night(day))
        assert warehouse.differences(day) == []

    # Nothing has changed: nobody is computed again.
    assert warehouse.night(day) == 0
    everybody = (len(CUSTOMERS) + 1) * 20
    assert 0 < min(pairs) < everybody / 2, "a night of one day computes few customers again"
