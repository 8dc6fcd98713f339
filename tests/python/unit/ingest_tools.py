"""What the tests of landing share: small sources, and what was landed from them."""

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.ingest.contract import Contract, read_contract
from orchestration.ingest.landing import LandingReport, land
from orchestration.ingest.source import resolve_source
from orchestration.sql import quote_literal

NIGHT = datetime(2024, 1, 1)
CUSTOMERS = "customer_id,city\n1,Oslo\n2,Bergen\n"
TRANSACTIONS = "order_id,line_id,customer_id,ordered_at,amount\n10,1,1,2023-05-01 10:00:00,12.50\n"
LANDED_COLUMNS = ["loaded_at", "source_file", "source_row", "unreadable_columns", "row_as_it_came", "batch"]


def write(folder: Path, **files: str | bytes) -> Path:
    """Write files into a folder; `customers_csv="…"` becomes customers.csv. Required tables that are not named get two lines."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {name.rsplit("_", 1)[0] for name in files}
    defaults = {"customers_csv": CUSTOMERS, "transactions_csv": TRANSACTIONS}
    for name, content in {**{k: v for k, v in defaults.items() if k.removesuffix("_csv") not in names}, **files}.items():
        stem, suffix = name.rsplit("_", 1)
        (folder / f"{stem}.{suffix}").write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def write_parquet(path: Path, select: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"copy ({select}) to {quote_literal(str(path))} (format parquet)")
    return path


def contract_of(*tables: str) -> Contract:
    """The contract of some tables only: a landing makes a folder for every table, which many small tests need not wait for."""
    return Contract({name: table for name, table in read_contract().tables.items() if name in tables})


def land_folder(folder: Path, landing: Path, night: datetime = NIGHT, contract: Contract | None = None) -> LandingReport:
    return land(resolve_source(folder), landing, night, contract=contract)


def landed(landing: Path, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    """The rows of a table as staging reads them, in the order in which they were landed."""
    files = quote_literal(f"{landing}/{table}/*/*.parquet")
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        relation = f"read_parquet({files}, union_by_name = true, hive_partitioning = true)"
        return connection.execute(f"select {columns} from {relation} order by loaded_at, source_row").fetchall()


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
