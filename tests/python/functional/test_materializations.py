"""What a run writes takes the place of what stood under its name, whatever that was; a run that fails leaves it standing."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.ingest.source import Source
from orchestration.settings import Settings
from orchestration.transform import dbt

# In the table and under the contract of a segmentation, and in a view.
TABLE, VIEW = "segments.rfm_segments", "staging.stg_expected_orders"
PLANTED = """
    create schema features; create schema prediction; create schema segments; create schema staging;
    create table prediction.expected_orders as
    select 1::bigint as frequency, 2 as age_days, 3.0::double as expected_orders, 4.0::double as discounted_orders
"""


class Home:
    """A home whose working database has what the two models read."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(home=folder / "home")
        self.source = Source(name="planted", folder=folder)
        self.database = self.settings.database(self.source.name)
        self.database.parent.mkdir(parents=True)
        self.execute(PLANTED)
        self.plant_customers(3)
        self.dbt("seed", "rfm_rules")

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.database)) as connection:
            return connection.execute(sql).fetchall()

    def plant_customers(self, customers: int, recency_days: str = "1") -> None:
        """What the segmentation reads, as a view: an expression may go wrong while it is read."""
        self.execute(
            f"""
            create or replace view features.customer_order_features as
            select 'c' || number as customer_id, date '2024-03-01' as as_of_date, {recency_days} as recency_days, 1::bigint as order_count,
                9.99::decimal(18, 2) as net_amount
            from range({customers}) as numbers (number)
            """
        )

    def dbt(self, command: str, *select: str) -> None:
        dbt.run([command, "--select", *select], settings=self.settings, source=self.source, as_of_date=date(2024, 3, 1), build_id="b")

    def run(self) -> None:
        self.dbt("run", "rfm_cut_points", "rfm_segments", "stg_expected_orders")

    def customers(self) -> int:
        return int(self.execute(f"select count(*) from {TABLE}")[0][0])

    def relations(self) -> dict[str, str]:
        """Table or view, of everything in the schemas that the models write to."""
        return {
            f"{schema}.{name}": kind
            for schema, name, kind in self.execute(
                "select table_schema, table_name, table_type from information_schema.tables"
                " where table_schema in ('segments', 'staging') order by all"
            )
        }


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in ("SEGMENTS_DATABASE", "SEGMENTS_LANDING", "DO_NOT_TRACK"):
        monkeypatch.setenv(name, "")
    return Home(tmp_path)


def test_a_table_and_a_view_take_each_others_place(home: Home) -> None:
    home.execute(f"create view {TABLE} as select 1 as one; create table {VIEW} as select 1 as one")
    for customers in (3, 4):
        home.plant_customers(customers)
        home.run()
        # Nothing of the way there stays beside them.
        assert home.relations() == {TABLE: "BASE TABLE", VIEW: "VIEW"}
        assert home.customers() == customers
        assert home.execute(f"select frequency, age_days from {VIEW}") == [(1, 2)]


def test_what_stood_there_outlives_a_model_that_fails(home: Home) -> None:
    home.run()
    home.plant_customers(4, "case when number < 3 then 1 else cast(error('planted') as integer) end")
    with pytest.raises(dbt.DbtFailed, match=r"rfm_segments: .*planted"):
        home.dbt("run", "rfm_segments")
    home.execute("alter table prediction.expected_orders drop age_days")
    with pytest.raises(dbt.DbtFailed, match=r"stg_expected_orders: .*age_days"):
        home.dbt("run", "stg_expected_orders")
    assert home.customers() == 3
    assert home.relations() == {TABLE: "BASE TABLE", VIEW: "VIEW"}


def test_a_failed_data_test_says_what_it_found(home: Home) -> None:
    home.execute("update rules.rfm_rules set recency_max = null where priority = 10; delete from rules.rfm_rules where priority <> 10")
    with pytest.raises(dbt.DbtFailed) as grain:
        home.dbt("test", "resource_type:test,test_name:grain,rfm_rules")
    assert str(grain.value).startswith(
        "dbt stopped at grain of rfm_rules: 1 row found, such as (priority 10, what recency_max is empty); the whole log"
    )
    with pytest.raises(dbt.DbtFailed) as states:
        home.dbt("test", "assert_rfm_rules_name_every_state")
    assert "assert_rfm_rules_name_every_state: 125 rows found, such as (recency_score 1, frequency_score" in str(states.value)
    assert "\n" not in str(states.value)


def test_a_failed_data_test_names_no_customer(home: Home) -> None:
    home.plant_customers(3, recency_days="case when number = 1 then 0 else 1 end")
    home.execute(
        "create table features.more as select *, 0 as orders_30d, 0 as orders_90d, 0 as orders_365d, 1 as buyer_days "
        "from features.customer_order_features; drop view features.customer_order_features; "
        "alter table features.more rename to customer_order_features"
    )
    with pytest.raises(dbt.DbtFailed) as found:
        home.dbt("test", "assert_feature_windows_nest")
    assert "assert_feature_windows_nest: 1 row found, such as (orders_30d 0, orders_90d 0, orders_365d 0, order_count 1);" in str(
        found.value
    )
