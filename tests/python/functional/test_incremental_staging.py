"""Night after night, staging brings in what is new and what that changes: after any nights it holds what one whole build would hold.

Random deliveries, full of corrections, duplicates, unusable rows and rows that come before their customer, are landed one after the
other and staged in between by dbt as it is: in every run, in no run, in runs of a part of the project and in runs that break off.
"""

import csv
import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestration.ingest.landing import land, read_batches_landed
from orchestration.ingest.source import resolve_source
from orchestration.transform import dbt

PROJECT = Path(__file__).parents[3]

# What the values of a column are drawn from: few of them, so that keys meet, customers come late, and every reason to quarantine occurs.
CUSTOMERS = ["ann", "bob", "cem", " ann ", "nobody", ""]
TIMES = ["2024-01-01 10:00:00", "2024-01-02 23:30:00", "1969-01-01 00:00:00", "yesterday", ""]
VALUES: dict[str, dict[str, list[str]]] = {
    "customers": {
        "customer_id": ["ann", "bob", "cem", " ann ", ""],
        "signed_up_at": TIMES,
        "birth_date": ["1980-01-01", "2999-01-01", "soon", ""],
        "annual_income": ["10", "-1"],
        "loyalty_tier": ["Gold", "silver"],
    },
    "transactions": {
        "order_id": ["1", "2", " 2"],
        "line_id": ["1", "2", ""],
        "customer_id": CUSTOMERS,
        "ordered_at": TIMES[:2],
        "amount": ["1.50", "2", "free", ""],
        "status": ["", "Returned", "lost"],
        "quantity": ["1", "-1"],
    },
    "products": {"product_id": ["p1", "p2", ""], "category": ["tea", "wine"], "is_private_label": ["true", "perhaps"]},
    "stores": {"store_id": ["s1", "s2", ""], "city": ["Bonn", "Ulm"]},
    "campaigns": {"campaign_id": ["m1", "m2", ""], "starts_on": ["2024-01-05"], "ends_on": ["2024-01-01", "2024-02-01"]},
    "campaign_contacts": {
        "contact_id": ["1", "2"],
        "campaign_id": ["m1", ""],
        "customer_id": CUSTOMERS,
        "sent_at": TIMES,
        "clicked_at": ["2024-01-03 00:00:00", ""],
    },
    "coupon_redemptions": {"redemption_id": ["1", "2"], "customer_id": CUSTOMERS, "redeemed_at": TIMES},
    "loyalty_ledger": {"entry_id": ["1", "2"], "customer_id": CUSTOMERS, "occurred_at": TIMES, "points": ["1", "-1"]},
    "web_events": {"event_id": ["1", "2"], "customer_id": CUSTOMERS, "occurred_at": TIMES, "event_name": ["Visit", "visit"]},
    "support_tickets": {"ticket_id": ["1", "2"], "customer_id": CUSTOMERS, "opened_at": TIMES, "satisfaction_score": ["5", "101"]},
    "survey_answers": {"customer_id": CUSTOMERS, "question": ["q"], "answer": ["a", "b", ""], "answered_at": TIMES},
    "referrals": {"referrer_customer_id": CUSTOMERS, "referred_customer_id": ["ann", "", "eve"], "referred_at": TIMES[:2]},
    "consents": {
        "customer_id": CUSTOMERS,
        "purpose": ["marketing"],
        "channel": ["", "any", "email"],
        "is_granted": ["true", "false", "perhaps"],
        "changed_at": TIMES[:2],
    },
    "erasure_requests": {"customer_id": CUSTOMERS, "requested_at": TIMES},
}
# Beside customers and transactions, which every source has, a few tables at a time: a run costs by its models.
OTHER_TABLES = [
    ("referrals", "consents", "products"),
    ("loyalty_ledger", "web_events", "stores"),
    ("campaign_contacts", "coupon_redemptions", "campaigns"),
    ("support_tickets", "survey_answers", "erasure_requests"),
]
# dbt's manifest names the database by its file.
DATABASE = "warehouse.duckdb"

Table = list[dict[str, str]]
Night = tuple[dict[str, Table], str]
"""What is delivered, by raw table, and how the run after it goes."""
Row = tuple[Any, ...]

WHOLE, SKIPPED, CUSTOMERS_ONLY, LINES_ONLY, BROKEN = "whole", "skipped", "only customers", "only lines", "breaks off"


def rows_of(table: str, most: int) -> st.SearchStrategy[Table]:
    """Some rows of a raw table, drawn from its values."""
    return st.lists(
        st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES[table].items()}), min_size=1, max_size=most
    )


def a_night(others: tuple[str, ...]) -> st.SearchStrategy[Night]:
    """A night of any kind, with rows of every table, so that there is something to stumble over."""
    delivered = {"customers": rows_of("customers", 3), "transactions": rows_of("transactions", 6)}
    delivered |= {table: rows_of(table, 4) for table in others}
    ways = [WHOLE, WHOLE, SKIPPED, CUSTOMERS_ONLY, LINES_ONLY, BROKEN]
    return st.tuples(st.fixed_dictionaries(delivered), st.sampled_from(ways))


def selection(way: str, others: tuple[str, ...]) -> list[str]:
    """The models of a run."""
    if way == CUSTOMERS_ONLY:
        return ["base_customers", "stg_customers"]
    if way == LINES_ONLY:
        return ["base_transactions"]
    return ["base_customers", "stg_customers", "base_transactions", *(f"base_{table}" for table in others)]


class Warehouse:
    """A landing, and working databases that dbt stages it into, with the project parsed once."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.landing = folder / "landing"
        self.monkeypatch = monkeypatch
        monkeypatch.setenv("SEGMENTS_LANDING", str(self.landing))
        monkeypatch.setenv("DO_NOT_TRACK", "1")
        self.flags = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(folder / "target")]
        self.flags += ["--log-path", str(folder / "logs"), "--log-level", "none", "--log-level-file", "none", "--no-write-json"]
        self.flags += ["--vars", json.dumps({"as_of_date": "2024-03-01", "business_timezone": "America/New_York"})]
        self._use(folder / DATABASE)
        parsed = dbt.invoke(["parse", *self.flags])
        assert parsed.success, parsed.exception
        self.manifest = parsed.result

    def _use(self, database: Path) -> None:
        self.monkeypatch.setenv("SEGMENTS_DATABASE", str(database))

    def begin_again(self) -> None:
        """Forget the last example."""
        for name in ("shop", "landing", "nightly", "at_once"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in ("nightly", "at_once"):
            (self.folder / name).mkdir()

    def deliver(self, number: int, delivered: dict[str, Table]) -> None:
        """Land one more file of each table delivered; the two that a source must have are there from the first night."""
        shop = self.folder / "shop"
        for table, rows in delivered.items():
            if rows or number == 0:
                (shop / table).mkdir(parents=True, exist_ok=True)
                with (shop / table / f"{number}.csv").open("w", encoding="utf-8", newline="") as file:
                    writer = csv.DictWriter(file, list(VALUES[table]))
                    writer.writeheader()
                    writer.writerows(rows)
        land(resolve_source(shop), self.landing, datetime(2024, 2, 1) + timedelta(days=number))

    def stage(self, database: Path, models: list[str]) -> list[str]:
        """Run the selected models; returns what went wrong."""
        self._use(database)
        result = dbt.invoke(["run", "--select", *models, *self.flags], self.manifest)
        if result.exception is not None:
            return [str(result.exception)]
        return [f"{node.node.name}: {node.message}" for node in result.result.results if str(node.status) == "error"]

    def stage_and_break_off(self, database: Path, models: list[str]) -> None:
        """A run that cannot read the newest lines: what it writes before and beside them is written, the rest is not."""
        batch = read_batches_landed(self.landing, "transactions")[-1].batch
        rows = self.landing / "transactions" / f"batch={batch}" / "rows.parquet"
        sound = rows.read_bytes()
        rows.write_bytes(b"not Parquet")
        try:
            (failure,) = self.stage(database, models)
            assert failure.startswith("base_transactions: ")
        finally:
            rows.write_bytes(sound)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield Warehouse(tmp_path_factory.mktemp("incremental_staging"), monkeypatch)


def base_tables(database: Path) -> dict[str, dict[Row, tuple[Row, int]]]:
    """Every row of every base table by batch and place: its columns in their order, and the run that wrote it."""
    if not database.exists():
        return {}
    with duckdb.connect(str(database), read_only=True) as connection:
        names = [row[0] for row in connection.execute("select table_name from duckdb_tables() where table_name like 'base_%'").fetchall()]
        tables: dict[str, dict[Row, tuple[Row, int]]] = {}
        for name in names:
            query = f"select batch, source_row, written_in_run, columns(* exclude (written_in_run)) from staging.{name}"
            rows = connection.execute(query).fetchall()
            tables[name] = {row[:2]: (row[3:], row[2]) for row in rows}
            assert len(tables[name]) == len(rows), f"{name} holds a landed row twice"
    return tables


def assert_only_what_changed_is_marked(before: dict[str, Any], after: dict[str, Any], run: int) -> None:
    """The run that wrote a row is this one exactly where the row came or changed."""
    for table, rows in after.items():
        earlier = before.get(table, {})
        for place, (values, written_in_run) in rows.items():
            if place in earlier and earlier[place][0] == values:
                assert written_in_run == earlier[place][1], (table, place)
            else:
                assert written_in_run == run, (table, place)


def last_run(database: Path) -> int:
    with duckdb.connect(str(database), read_only=True) as connection:
        return int(connection.execute("select run_number from operations.roll_up_state").fetchall()[0][0])


def without_runs(tables: dict[str, dict[Row, tuple[Row, int]]]) -> dict[str, dict[Row, Row]]:
    return {table: {place: values for place, (values, _) in rows.items()} for table, rows in tables.items()}


# Not made smaller when it fails: an example takes seconds.
@pytest.mark.parametrize("others", OTHER_TABLES, ids=" ".join)
@settings(max_examples=3, derandomize=True, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_after_any_nights_staging_holds_what_one_whole_build_holds(
    warehouse: Warehouse, others: tuple[str, ...], data: st.DataObject
) -> None:
    nights = data.draw(st.lists(a_night(others), min_size=3, max_size=4))
    warehouse.begin_again()
    nightly, at_once = warehouse.folder / "nightly" / DATABASE, warehouse.folder / "at_once" / DATABASE
    # The first run stages every table, the last one catches up.
    for number, (delivered, way) in enumerate([(nights[0][0], WHOLE), *nights[1:], ({}, WHOLE)]):
        if delivered:
            warehouse.deliver(number, delivered)
        before = base_tables(nightly)
        if way == BROKEN:
            warehouse.stage_and_break_off(nightly, selection(way, others))
        elif way != SKIPPED:
            assert warehouse.stage(nightly, selection(way, others)) == []
        assert_only_what_changed_is_marked(before, base_tables(nightly), last_run(nightly))
    assert warehouse.stage(at_once, selection(WHOLE, others)) == []
    staged = base_tables(nightly)
    assert without_runs(staged) == without_runs(base_tables(at_once))
    for name, rows in staged.items():
        landed = read_batches_landed(warehouse.landing, name.removeprefix("base_"))
        assert len(rows) == sum(batch.rows for batch in landed), name


def test_a_staged_table_with_other_columns_stops_the_run_and_a_view_gives_way(warehouse: Warehouse) -> None:
    warehouse.begin_again()
    database, models = warehouse.folder / "nightly" / DATABASE, ["base_customers", "stg_customers"]
    names = {"customers": [dict.fromkeys(VALUES["customers"], None) | {"customer_id": name} for name in ("ann", "bob")]}
    warehouse.deliver(0, names | {"transactions": []})
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema staging; create view staging.base_customers as select 1 as one")
    assert warehouse.stage(database, models) == []
    assert len(base_tables(database)["base_customers"]) == 2
    with duckdb.connect(str(database)) as connection:
        connection.execute("alter table staging.base_customers drop column country")
    (failed,) = warehouse.stage(database, models)
    assert failed.startswith("base_customers: ")
    assert "out of sync" in failed
    assert len(base_tables(database)["base_customers"]) == 2
