"""What docs/sources.md shows is what landing does."""

import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.ingest.source import COMMON_KEYS, MAPPING_KEYS, resolve_source
from orchestration.settings import PROJECT_DIR
from tests.python.unit.ingest_tools import contract_of, land_folder, landed


@pytest.fixture(scope="module")
def page() -> str:
    return (PROJECT_DIR / "docs" / "sources.md").read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_the_smallest_source_lands(page: str, tmp_path: Path) -> None:
    customers, transactions = blocks(page, "csv")
    source = tmp_path / "source"
    source.mkdir()
    (source / "customers.csv").write_text(customers)
    (source / "transactions.csv").write_text(transactions)
    report = land_folder(source, tmp_path / "landing")
    assert [(table.rows_landed, table.rows_unreadable) for table in report.tables[:2]] == [(2, 0), (3, 0)]


def test_source_yml_is_understood(page: str, tmp_path: Path) -> None:
    (text,) = blocks(page, "yaml")
    (tmp_path / "source.yml").write_text(text)
    source = resolve_source(tmp_path)
    assert (source.name, source.business_timezone, source.currency, source.holiday_country) == ("corner_shop", "Europe/Oslo", "NOK", "NO")
    assert (source.as_of_date, source.vars) == (date(2023, 12, 31), {"rfm_monetary": "mean"})
    assert all(re.search(rf"(^{key}:|`{key}`)", page, re.MULTILINE) for key in COMMON_KEYS + MAPPING_KEYS)


def test_the_mapping_lands(page: str, tmp_path: Path) -> None:
    for text in blocks(page, "sql"):
        name = re.match(r"-- (\w+\.sql)\n", text)
        assert name is not None
        (tmp_path / name[1]).write_text(text)
    (tmp_path / "source.yml").write_text("business_timezone: Europe/Oslo")
    (tmp_path / "till").mkdir()
    for day in (1, 2):
        rows = f"{day},1,c{day},2023-05-0{day} 10:00:00,12.50\n{day},2,,2023-05-0{day} 10:00:00,1\n"
        (tmp_path / "till" / f"{day}.csv").write_text("receipt_number,line_number,card_number,sold_at,price\n" + rows)
    landing = tmp_path.parent / f"{tmp_path.name}_landing"
    land_folder(tmp_path, landing, contract=contract_of("customers", "transactions"))
    assert landed(landing, "customers", "customer_id") == [("c1",), ("c2",)]
    assert landed(landing, "transactions", "order_id, line_id, customer_id, ordered_at, amount") == [
        ("1", "1", "c1", datetime(2023, 5, 1, 8), Decimal("12.50")),
        ("2", "1", "c2", datetime(2023, 5, 2, 8), Decimal("12.50")),
    ]


def test_a_value_that_a_mapping_tries_to_read_stops_no_night(page: str, tmp_path: Path) -> None:
    (reading,) = re.findall(r"`(coalesce\(.*try_strptime.*) as ordered_at`", page)
    (tmp_path / "customers.sql").write_text("select 'c1' as customer_id")
    days = "(values ('01.05.2023'), ('soon')) as till(day)"
    (tmp_path / "transactions.sql").write_text(
        f"select day as order_id, 1 as line_id, 'c1' as customer_id, {reading} as ordered_at, 1 as amount from {days}"
    )
    landing = tmp_path.parent / f"{tmp_path.name}_landing"
    land_folder(tmp_path, landing, contract=contract_of("customers", "transactions"))
    assert landed(landing, "transactions", "ordered_at, unreadable_columns") == [(datetime(2023, 5, 1), None), (None, "ordered_at")]


def test_every_contract_table_is_where_the_page_says(page: str) -> None:
    (link,) = re.findall(r"\]\((\.\./[^)]*)\)", page)
    assert (PROJECT_DIR / "docs" / link).resolve().is_file()
