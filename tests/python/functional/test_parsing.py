"""dbt parses the project once for all homes, and what it reads is each home's own."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.ingest.source import resolve_source
from orchestration.settings import Settings
from orchestration.transform import dbt
from tests.python.functional.conftest import write_csv


def test_a_second_home_takes_over_what_the_first_has_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbt, "PARSED", tmp_path / "parsed")
    for name in ("SEGMENTS_DATABASE", "SEGMENTS_LANDING", "DO_NOT_TRACK"):
        monkeypatch.setenv(name, "")
    for customer in ("ann", "bob"):
        write_csv(tmp_path / customer / "source" / "customers.csv", "customer_id", [customer])
        write_csv(tmp_path / customer / "source" / "transactions.csv", "order_id,line_id,customer_id,ordered_at,amount", [])
        settings = Settings(home=tmp_path / customer / "home", source=str(tmp_path / customer / "source"))
        source = resolve_source(settings.source)
        landed = settings.landing(source.name) / "customers" / "batch=1"
        landed.mkdir(parents=True)
        with duckdb.connect() as connection:
            connection.execute(
                f"copy (select '{customer}' as customer_id, timestamp '2024-01-01' as loaded_at, 1 as source_row) "
                f"to '{landed / 'customers.parquet'}' (format parquet)"
            )
        dbt.parse(settings, source)
        log = settings.dbt_dir / "logs" / "dbt.log"
        parsed_anew = "Starting full parse" in log.read_text(encoding="utf-8")
        assert parsed_anew == (customer == "ann")
        database = settings.database(source.name)
        database.parent.mkdir(parents=True)
        dbt.run(
            ["show", "--inline", "select customer_id from {{ source('landing', 'customers') }}"],
            settings=settings,
            source=source,
            as_of_date=date(2024, 1, 2),
            build_id="shown",
        )
        assert f"| {customer} " in log.read_text(encoding="utf-8")
