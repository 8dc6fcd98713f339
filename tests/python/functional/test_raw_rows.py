"""Files are landed and staged as in a night: every row ends up used, superseded or quarantined, and every check of staging can fail.

Each data test of staging is proved twice: it passes on what staging made, and it fails where a fault is planted.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.ingest.contract import read_contract
from orchestration.ingest.landing import land
from orchestration.ingest.source import resolve_source

PROJECT = Path(__file__).parents[3]

CUSTOMERS = """customer_id,birth_date,loyalty_tier
ann,1980-02-29,Gold
bob,2999-01-01,silver
cem,29 of May,silver
dua,1990-01-01,silver
,1990-01-01,silver
"""
# Cem's sound row came first, so the flawed one does not replace it; Bob has no sound row and stays, without a birthday.
EARLIER_CUSTOMERS = "customer_id,birth_date,loyalty_tier\ncem,1970-05-29,bronze\n"
TRANSACTIONS = """order_id,line_id,customer_id,ordered_at,amount,quantity,status
1,1,ann,2024-01-01 00:30:00,10.00,1,
1,2,ann,2024-01-01 00:30:00,5.00,1,Completed
2,1,bob,2024-01-02 12:00:00,20.00,1,
3,1,eve,2024-01-03 12:00:00,30.00,1,
4,1,ann,yesterday,40.00,1,
5,1,ann,2024-01-05 12:00:00,50.00,-1,
6,1,ann,2024-01-06 12:00:00,,1,
"""
# Loaded later: a correction, one that cannot be used, and the customer of order 3.
LATER_TRANSACTIONS = """order_id,line_id,customer_id,ordered_at,amount,quantity,status
1,1,ann,2024-01-01 00:30:00,11.00,1,
1,2,nobody,2024-01-01 00:30:00,500.00,1,
"""
LATER_CUSTOMERS = "customer_id\neve\n"
PRODUCTS = "product_id,category\np1,tea\n"
CONSENTS = "customer_id,purpose,channel,is_granted,changed_at\nann,marketing,,true,2024-01-01 10:00:00\n"


def dbt(folder: Path, *arguments: str, project: Path = PROJECT) -> dict[str, str]:
    """Run dbt on the warehouse in `folder`; return the status of every node but hooks by name, and fail when there are none."""
    results = folder / "target" / "run_results.json"
    results.unlink(missing_ok=True)
    environment = os.environ | {
        "SEGMENTS_DATABASE": str(folder / "warehouse.duckdb"),
        "SEGMENTS_LANDING": str(folder / "landing"),
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-m", "dbt.cli.main", *arguments, "--project-dir", str(project), "--profiles-dir", str(PROJECT)]
    command += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    command += ["--vars", json.dumps({"as_of_date": "2025-01-01", "business_timezone": "America/New_York"})]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert results.is_file(), done.stdout + done.stderr
    written = [
        node for node in json.loads(results.read_text(encoding="utf-8"))["results"] if not node["unique_id"].startswith("operation.")
    ]
    assert written, done.stdout
    return {result["unique_id"].split(".")[2]: result["status"] for result in written}


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query on the warehouse in `folder`."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a landing of two loads, and the warehouse that dbt has staged and tested from it."""
    folder = tmp_path_factory.mktemp("raw_rows")
    shop = folder / "shop"
    loads: list[dict[str, str]] = [
        {"customers/1.csv": EARLIER_CUSTOMERS, "customers/2.csv": CUSTOMERS, "transactions/1.csv": TRANSACTIONS, "products.csv": PRODUCTS},
        {"customers/3.csv": LATER_CUSTOMERS, "transactions/2.csv": LATER_TRANSACTIONS, "consents.csv": CONSENTS},
    ]
    for day, files in enumerate(loads, start=1):
        for name, text in files.items():
            (shop / name).parent.mkdir(parents=True, exist_ok=True)
            (shop / name).write_text(text, encoding="utf-8")
        land(resolve_source(shop), folder / "landing", datetime(2024, 2, day))
    statuses = dbt(
        folder, "build", "--select", "path:models/staging", "--exclude", "resource_type:unit_test", "--indirect-selection", "buildable"
    )
    assert set(statuses.values()) == {"success", "pass"}, statuses
    return folder


def test_every_row_is_used_superseded_or_quarantined(staged: Path) -> None:
    counted = query(
        staged, "select table_name, rows_in, rows_used, rows_superseded, rows_quarantined from staging.row_reconciliation where rows_in > 0"
    )
    assert sorted(counted) == [("consents", 1, 1, 0, 0), ("customers", 7, 4, 0, 3), ("products", 1, 1, 0, 0), ("transactions", 9, 4, 1, 4)]
    (tables,) = query(staged, "select count(*) from staging.row_reconciliation")[0]
    assert tables == 14


def test_lines_used_are_the_last_usable_version_of_known_customers(staged: Path) -> None:
    lines = query(
        staged, "select order_id, line_id, customer_id, amount, status, cast(order_date as text) from staging.stg_transactions order by all"
    )
    assert [(*line[:3], float(line[3]), *line[4:]) for line in lines] == [
        ("1", "1", "ann", 11.0, "completed", "2023-12-31"),
        ("1", "2", "ann", 5.0, "completed", "2023-12-31"),
        ("2", "1", "bob", 20.0, "completed", "2024-01-02"),
        ("3", "1", "eve", 30.0, "completed", "2024-01-03"),
    ]


def test_quarantine_gives_the_reason_and_the_whole_row(staged: Path) -> None:
    listed = query(
        staged, "select table_name, source_row, quarantine_reason, source_file, row_as_it_came from staging.quarantine order by all"
    )
    assert [row[:3] for row in listed] == [
        ("customers", 2, "impossible value: birth_date is in the future or over 120 years ago"),
        ("customers", 3, "unreadable value in birth_date"),
        ("customers", 5, "missing customer_id"),
        ("transactions", 2, "unknown customer"),
        ("transactions", 5, "unreadable value in ordered_at"),
        ("transactions", 6, "impossible value: quantity is below zero in a sale"),
        ("transactions", 7, "missing amount"),
    ]
    rows = [json.loads(row[4]) for row in listed]
    assert rows[0]["birth_date"] == "2999-01-01"
    assert rows[1]["birth_date"] == "29 of May"
    assert (rows[3]["customer_id"], float(rows[3]["amount"]), rows[3]["store_id"]) == ("nobody", 500.0, None)
    assert rows[4]["ordered_at"] == "yesterday"
    assert [Path(row[3]).name for row in listed] == ["2.csv", "2.csv", "2.csv", "2.csv", "1.csv", "1.csv", "1.csv"]


def test_no_customer_is_lost_over_a_flawed_value(staged: Path) -> None:
    customers = query(staged, "select customer_id, cast(birth_date as text), loyalty_tier from staging.stg_customers order by all")
    assert customers == [
        ("ann", "1980-02-29", "gold"),
        ("bob", None, "silver"),
        ("cem", "1970-05-29", "bronze"),
        ("dua", "1990-01-01", "silver"),
        ("eve", None, None),
    ]


FAULTS = {
    "grain_stg_customers_customer_id": "insert into staging.base_customers from staging.base_customers where customer_id = 'ann'",
    "assert_every_landed_row_is_accounted_for": "delete from staging.base_products",
    "accepted_values_stg_transactions_status__completed__cancelled__returned": "update staging.base_transactions set status = 'lost'",
    "assert_amounts_are_in_one_currency": "update staging.base_transactions set currency = case line_id when '1' then 'EUR' else 'USD' end",
    "values_present_stg_consents_is_granted": "update staging.base_consents set is_granted = null",
    "assert_quarantine_is_small": (
        "insert into staging.base_stores by name select 'quarantined' as row_status from range(21);"
        "update staging.row_reconciliation set rows_in = 100, rows_quarantined = 21 where table_name = 'stores'"
    ),
}


def test_every_check_fails_on_a_planted_fault(staged: Path, tmp_path: Path) -> None:
    shutil.copy(staged / "warehouse.duckdb", tmp_path / "warehouse.duckdb")
    shutil.copytree(staged / "landing", tmp_path / "landing")
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        for fault in FAULTS.values():
            connection.execute(fault)
    statuses = dbt(tmp_path, "test", "--select", *FAULTS)
    assert statuses == dict.fromkeys(FAULTS, "fail")


# Of 100 order lines 34 are in quarantine, 30 of them since the second of March: rows of the same keys, and whether the night has to stop.
@pytest.mark.parametrize(
    ("sound_rows", "status"),
    [
        ([], "fail"),
        ([("range(30)", "2024-03-03")], "pass"),
        ([("range(14)", "2024-03-03")], "pass"),
        ([("range(13)", "2024-03-03")], "fail"),
        # An older sound version is in use, but what came last is still unreadable.
        ([("range(30)", "2024-03-01")], "fail"),
    ],
)
def test_a_bad_delivery_that_has_been_mended_no_longer_counts(
    staged: Path, tmp_path: Path, sound_rows: list[tuple[str, str]], status: str
) -> None:
    shutil.copy(staged / "warehouse.duckdb", tmp_path / "warehouse.duckdb")
    planted = [("range(30)", "2024-03-02", "quarantined"), *((*rows, "used") for rows in sound_rows)]
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        for numbers, loaded_on, row_status in planted:
            connection.execute(
                f"""
                insert into staging.base_transactions by name
                select 'bad' || number as order_id, '1' as line_id, '{row_status}' as row_status, timestamp '{loaded_on}' as loaded_at,
                    '{loaded_on}' as batch, number as source_row
                from {numbers} as numbers (number)
                """
            )
        connection.execute("update staging.row_reconciliation set rows_in = 100, rows_quarantined = 30 where table_name = 'transactions'")
    assert dbt(tmp_path, "test", "--select", "assert_quarantine_is_small") == {"assert_quarantine_is_small": status}


def test_rows_without_a_readable_key_cannot_be_mended(staged: Path, tmp_path: Path) -> None:
    shutil.copy(staged / "warehouse.duckdb", tmp_path / "warehouse.duckdb")
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        for row_status, loaded_on in (("quarantined", "2024-03-02"), ("used", "2024-03-03")):
            connection.execute(
                f"insert into staging.base_transactions by name "
                f"select '{row_status}' as row_status, timestamp '{loaded_on}' as loaded_at, 'b' as batch, "
                f"case when '{row_status}' = 'used' then 'o' || number end as order_id from range(30) as numbers (number)"
            )
        connection.execute("update staging.row_reconciliation set rows_in = 100, rows_quarantined = 30 where table_name = 'transactions'")
    assert dbt(tmp_path, "test", "--select", "assert_quarantine_is_small") == {"assert_quarantine_is_small": "fail"}


def test_the_contract_and_staging_agree_about_keys() -> None:
    for name, table in read_contract().tables.items():
        model = (PROJECT / "models" / "staging" / "base" / f"base_{name}.sql").read_text(encoding="utf-8")
        (found, *_) = re.findall(r"key=\[([^]]*)\]", model)
        assert re.findall(r"\w+", found) == [column.name for column in table.columns if column.key], name


def test_a_fifth_of_a_table_in_quarantine_is_the_limit(staged: Path, tmp_path: Path) -> None:
    shutil.copy(staged / "warehouse.duckdb", tmp_path / "warehouse.duckdb")
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("insert into staging.base_stores by name select 'quarantined' as row_status from range(20)")
        connection.execute("update staging.row_reconciliation set rows_in = 100, rows_quarantined = 20 where table_name = 'stores'")
        connection.execute("insert into staging.base_products by name select 'quarantined' as row_status from range(99)")
        connection.execute("update staging.row_reconciliation set rows_in = 99, rows_quarantined = 99 where table_name = 'products'")
    assert dbt(tmp_path, "test", "--select", "assert_quarantine_is_small") == {"assert_quarantine_is_small": "pass"}


def test_a_contract_column_that_staging_forgets_is_noticed(staged: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(PROJECT / "dbt_project.yml", project)
    for part in ("models", "macros", "seeds", "tests"):
        shutil.copytree(PROJECT / part, project / part)
    contract = project / "models" / "staging" / "_sources.yml"
    text = contract.read_text(encoding="utf-8")
    before = "          - name: store_name\n"
    contract.write_text(text.replace(before, f"          - name: opened_on\n            data_type: date\n{before}"), encoding="utf-8")
    shutil.copy(staged / "warehouse.duckdb", tmp_path / "warehouse.duckdb")
    statuses = dbt(tmp_path, "test", "--select", "assert_staging_follows_the_contract", project=project)
    assert statuses == {"assert_staging_follows_the_contract": "fail"}
