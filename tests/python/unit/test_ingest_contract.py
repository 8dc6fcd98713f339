"""The raw contract is read from the dbt sources, so that landing and staging cannot disagree."""

from pathlib import Path

import pytest

from orchestration.ingest.contract import read_contract


def test_every_table_of_the_contract_is_read() -> None:
    contract = read_contract()
    assert len(contract.tables) == 14
    assert [table.name for table in contract.tables.values() if table.required] == ["customers", "transactions"]
    transactions = contract.tables["transactions"]
    assert transactions.required_columns == ("order_id", "line_id", "customer_id", "ordered_at", "amount")
    assert [column.name for column in transactions.columns if column.key] == ["order_id", "line_id"]
    amount = next(column for column in transactions.columns if column.name == "amount")
    assert (amount.data_type, amount.duckdb_type) == ("decimal(18,2)", "decimal(18,2)")
    email = next(column for column in contract.tables["customers"].columns if column.name == "email")
    assert (email.data_type, email.duckdb_type, email.classification) == ("string", "varchar", "identifier")


def test_a_type_that_landing_cannot_read_is_refused(tmp_path: Path) -> None:
    sources = tmp_path / "models" / "staging" / "_sources.yml"
    sources.parent.mkdir(parents=True)
    sources.write_text("sources: [{name: landing, tables: [{name: t, columns: [{name: c, data_type: interval}]}]}]")
    with pytest.raises(ValueError, match=r"t\.c has type interval"):
        read_contract(tmp_path)
