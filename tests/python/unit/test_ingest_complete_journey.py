"""The mapping of Complete Journey, on the real data of its package: totals that anybody can count again."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.ingest.landing import LandingReport, land
from orchestration.ingest.source import resolve_source
from tests.python.unit.ingest_tools import NIGHT


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("landing")


@pytest.fixture(scope="module")
def report(landing: Path) -> LandingReport:
    return land(resolve_source("complete_journey"), landing, NIGHT)


@pytest.fixture
def query(landing: Path, report: LandingReport) -> Any:
    def run(table: str, expressions: str, where: str = "true") -> tuple[Any, ...]:
        files = f"read_parquet('{landing}/{table}/*/*.parquet', union_by_name = true, hive_partitioning = true)"
        return duckdb.sql(f"select {expressions} from {files} where {where}").fetchall()[0]

    return run


def test_what_is_in_the_package_is_present_and_nothing_else(report: LandingReport) -> None:
    assert {table.table: table.rows_landed for table in report.tables if table.is_present} == {
        "customers": 2_469,
        "transactions": 1_469_307,
        "products": 92_331,
        "campaigns": 27,
        "campaign_contacts": 6_589,
        "coupon_redemptions": 2_102,
    }
    assert sum(table.rows_unreadable for table in report.tables) == 0
    assert report.absent_tables == (
        "stores",
        "loyalty_ledger",
        "web_events",
        "support_tickets",
        "survey_answers",
        "referrals",
        "consents",
        "erasure_requests",
    )


def test_sales_to_the_cent(query: Any) -> None:
    assert query("transactions", "sum(amount), count(distinct order_id), count(distinct customer_id)") == (
        Decimal("4596039.58"),
        155_848,
        2_469,
    )
    assert query("transactions", "min(ordered_at), max(ordered_at)") == (datetime(2017, 1, 1, 11, 53, 26), datetime(2018, 1, 1, 4, 1, 20))


def test_discounts_and_coupons_are_those_of_the_package(query: Any) -> None:
    file = resolve_source("complete_journey").folder / "transactions.parquet"
    sums = "sum(retail_disc::decimal(18, 2)), sum(coupon_disc::decimal(18, 2) + coupon_match_disc::decimal(18, 2))"
    assert query("transactions", "sum(discount_amount), sum(coupon_amount)") == duckdb.sql(f"select {sums} from '{file}'").fetchall()[0]


def test_keys_are_unique(query: Any) -> None:
    keys = {
        "customers": "customer_id",
        "transactions": "(order_id, line_id)",
        "products": "product_id",
        "campaigns": "campaign_id",
        "campaign_contacts": "contact_id",
        "coupon_redemptions": "redemption_id",
    }
    for table, key in keys.items():
        rows, distinct = query(table, f"count(*), count(distinct {key})")
        assert rows == distinct, table


def test_a_line_is_named_by_its_product_not_by_its_place(query: Any) -> None:
    assert query("transactions", "count(*)", "line_id is distinct from product_id") == (0,)


def test_fuel_has_no_quantity(query: Any) -> None:
    """Its unit is another one; every quantity above 1,000 is fuel."""
    assert query("transactions", "count(*) - count(quantity), max(quantity)") == (14_697, Decimal("144.000"))


def test_households_that_told_who_they_are(query: Any) -> None:
    assert query("customers", "count(age_band), count(income_band), count(household_size), count(children)") == (801, 801, 801, 801)
    assert query("customers", "count(marital_status), count(home_ownership), count(distinct age_band)") == (664, 568, 6)


def test_products(query: Any) -> None:
    assert query("products", "count(*)", "is_private_label") == (13_815,)
    assert query("products", "product_name, brand, department, category, is_private_label", "product_id = '25671'") == (
        "ICE - CRUSHED/CUBED, 22 LB",
        "2",
        "GROCERY",
        "FRZN ICE",
        False,
    )


def test_days_without_a_time_begin_at_midnight_in_new_york(query: Any) -> None:
    assert query("campaign_contacts", "sent_at, channel", "contact_id = '1-105'") == (datetime(2017, 3, 3, 5), None)
    assert query("campaigns", "starts_on::varchar, ends_on::varchar, campaign_type", "campaign_id = '1'") == (
        "2017-03-03",
        "2017-04-09",
        "Type B",
    )
    assert query("coupon_redemptions", "min(redeemed_at), max(redeemed_at)") == (datetime(2017, 1, 1, 5), datetime(2017, 12, 31, 5))


def test_every_redemption_has_a_basket_on_its_day_in_new_york(query: Any, landing: Path) -> None:
    def day(column: str) -> str:
        return f"cast(timezone('America/New_York', timezone('UTC', {column})) as date)"

    baskets = f"select customer_id, {day('ordered_at')} from read_parquet('{landing}/transactions/*/*.parquet')"
    assert query("coupon_redemptions", "count(*)", f"(customer_id, {day('redeemed_at')}) not in ({baskets})") == (0,)


def test_a_second_night_lands_nothing(landing: Path, report: LandingReport) -> None:
    assert land(resolve_source("complete_journey"), landing, NIGHT).new_batches == ()
