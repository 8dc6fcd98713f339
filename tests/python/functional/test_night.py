"""A whole night, end to end, on real data and on the smallest source: what the README promises."""

import shutil
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.python.functional.conftest import Run, Served, segments, write_csv, write_five_customers

# Published tables differ from run to run in these alone.
BUILD_COLUMNS = ("build_id", "started_at", "finished_at", "checked_at")


def served_bytes(home: Path) -> dict[str, bytes]:
    """Every file readers can open, byte for byte."""
    serving = home / "serving"
    return {str(path.relative_to(serving)): path.read_bytes() for path in sorted(serving.rglob("*")) if path.is_file()}


def test_complete_journey_night_succeeds_and_tells_what_it_found(complete_journey: tuple[Served, Run]) -> None:
    _, run = complete_journey
    assert run.exit_code == 0, run.errors
    for expected in ("2,469", "1,469,307", "rfm", "champions", "serving/segments.duckdb", "web_events"):
        assert expected in run.output


def test_complete_journey_night_ends_by_naming_its_page(complete_journey: tuple[Served, Run]) -> None:
    served, run = complete_journey
    page = served.home / "reports" / "latest" / "index.html"
    assert run.output.rstrip("\n").endswith(str(page))
    assert page.stat().st_size < 3_000_000
    assert "<title>Customer segments of complete_journey, 2018-01-01</title>" in page.read_text(encoding="utf-8")


def test_complete_journey_sales_customers_and_orders_are_exact(complete_journey: tuple[Served, Run]) -> None:
    served, _ = complete_journey
    sales = served.query("select sum(monetary_value), sum(order_count), count(*) from published.rfm_segments")
    assert sales == [(Decimal("4596039.58"), 155_848, 2_469)]
    assert served.query("select distinct as_of_date::varchar from published.rfm_segments") == [("2018-01-01",)]


def test_complete_journey_every_customer_is_once_in_every_segmentation(complete_journey: tuple[Served, Run]) -> None:
    served, _ = complete_journey
    segmentations = [table for table in served.tables() if table.endswith("_segments")]
    assert {"rfm_segments", "loyalty_status_segments", "value_trend_segments", "promotion_affinity_segments"} <= set(segmentations)
    for table in segmentations:
        assert served.query(f"select count(*), count(distinct customer_id), count(segment) from published.{table}") == [
            (2_469, 2_469, 2_469)
        ]


def test_complete_journey_parquet_holds_the_same_rows(complete_journey: tuple[Served, Run]) -> None:
    served, _ = complete_journey
    for table in served.tables():
        files = served.home / "serving" / "parquet" / table / "*.parquet"
        assert served.query(f"select * from published.{table} order by all") == served.query(f"select * from '{files}' order by all")


def test_a_bi_tool_can_ask_why_somebody_is_in_an_audience(complete_journey: tuple[Served, Run]) -> None:
    served, _ = complete_journey
    members = served.query("select person_id, audience_id from published.audience_memberships order by all")
    met = served.query(
        "select customer_id, audience_id from on_demand.audience_explanations where condition_path = '1' and outcome = 'met' order by all"
    )
    # A priority group takes people out of audiences whose conditions they meet, and puts nobody in.
    assert members
    assert set(members) <= set(met)
    customer, audience = members[0]
    asked = served.query(
        "select condition_path, condition_text, value_seen, outcome from on_demand.audience_explanations "
        f"where customer_id = '{customer}' and audience_id = '{audience}' order by condition_path"
    )
    assert asked[0][0] == "1"
    assert all(text and outcome in ("met", "not met", "unknown") for _, text, _, outcome in asked)


def test_no_direct_identifier_is_published(complete_journey: tuple[Served, Run]) -> None:
    served, _ = complete_journey
    columns = {name for (name,) in served.query("select column_name from duckdb_columns() where schema_name in ('published', 'on_demand')")}
    assert not columns & {"email", "phone", "first_name", "last_name", "birth_date", "postcode"}


@dataclass(frozen=True)
class Night:
    """What a night of the five customers left: how it ended, what it published but for what differs from run to run, and all batches."""

    run: Run
    contents: dict[str, list[tuple[Any, ...]]]
    batches: list[Path]


@dataclass(frozen=True)
class Nights:
    """Three nights of the five customers: two of the same day, and one of a month later."""

    source: Path
    home: Path
    nights: list[Night]

    @property
    def arguments(self) -> tuple[str, ...]:
        """The command of another one."""
        return ("nightly", "--source", str(self.source), "--home", str(self.home))


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    folder = tmp_path_factory.mktemp("nights")
    made = Nights(write_five_customers(folder / "five_customers"), folder / "home", [])
    for day in ("2025-12-01", "2025-12-01", "2026-01-01"):
        run = segments(*made.arguments, "--as-of", day)
        assert run.exit_code == 0, run.errors
        made.nights.append(Night(run, Served(made.home).contents(BUILD_COLUMNS), sorted((made.home / "landing").rglob("*.parquet"))))
    return made


def test_second_night_of_the_same_day_publishes_the_same_rows_and_lands_nothing(nights: Nights) -> None:
    first, second, _ = nights.nights
    assert second.contents == first.contents
    assert second.batches == first.batches


def test_the_smallest_source_is_counted_exactly(nights: Nights) -> None:
    described = nights.nights[-1].contents["rfm_segments"]
    columns = [name for (name,) in Served(nights.home).query("select column_name from (describe published.rfm_segments)")]
    names = [name for name in columns if name not in BUILD_COLUMNS]
    rows = [dict(zip(names, row, strict=True)) for row in described]
    assert sorted((row["customer_id"], row["order_count"], row["monetary_value"]) for row in rows) == [
        ("ann", 2, Decimal("30.00")),
        ("bob", 1, Decimal("99.99")),
        ("cem", 1, Decimal("20.00")),
        ("dua", 1, Decimal("5.00")),
        ("eve", 0, Decimal("0.00")),
    ]
    assert [(row["segment"], row["recency_days"]) for row in rows if row["customer_id"] == "eve"] == [("none", None)]


def test_a_missing_required_column_costs_nobody_what_was_served(nights: Nights) -> None:
    before = served_bytes(nights.home)
    transactions = nights.source / "transactions.csv"
    sound = transactions.read_bytes()
    write_csv(transactions, "order_id,line_id,customer_id,ordered_at", ["1,1,ann,2025-11-01"])
    run = segments(*nights.arguments)
    transactions.write_bytes(sound)
    assert run.exit_code == 2
    assert len(run.errors.strip().splitlines()) == 1
    assert "transactions.csv" in run.errors and "amount" in run.errors
    assert served_bytes(nights.home) == before


def damage_pages(file: Path) -> None:
    """A Parquet file whose footer is sound and whose rows are not."""
    content = bytearray(file.read_bytes())
    content[4:200] = b"\xff" * 196
    file.write_bytes(content)


@pytest.mark.parametrize("is_first_night", [True, False])
def test_a_file_that_turns_out_to_be_broken_is_unusable_input(nights: Nights, tmp_path: Path, is_first_night: bool) -> None:
    stores = nights.source / "stores.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy (select 'store ' || i as store_id from range(100) as numbers(i)) to '{stores}'")
    damage_pages(stores)
    home = tmp_path / "home" if is_first_night else nights.home
    run = segments("nightly", "--source", str(nights.source), "--home", str(home))
    stores.unlink()
    assert run.exit_code == 2, run.errors
    assert run.errors.splitlines()[-1].startswith(f"segments: {stores} cannot be landed: ")


def test_a_damaged_batch_is_named_with_the_remedy(nights: Nights, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(nights.home / "landing", home / "landing")
    (batch,) = (file for file in home.glob("landing/*/transactions/*/rows.parquet") if "contract" not in str(file))
    damage_pages(batch)
    run = segments("nightly", "--source", str(nights.source), "--home", str(home), "--full-refresh")
    assert run.exit_code == 1, run.errors
    assert f"{batch} cannot be read; restore what was landed from a backup (dbt stopped at base_transactions" in run.output


def test_rollback_serves_the_build_before_and_says_so(nights: Nights) -> None:
    home, served = str(nights.home), Served(nights.home)
    day = "select distinct as_of_date::varchar from published.rfm_segments"
    assert served.query(day) == [("2026-01-01",)]
    assert segments("rollback", "--home", home).exit_code == 0
    assert served.query(day) == [("2025-12-01",)]
    listing = segments("builds", "--home", home)
    assert listing.exit_code == 0
    assert "2025-12-01" in listing.output and "2026-01-01" in listing.output and "served" in listing.output
    assert segments("rollback", "no-such-build", "--home", home).exit_code == 2


def test_an_unknown_source_and_a_future_day_are_wrong_usage(five_customers: Path, tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    unknown = segments("nightly", "--source", "complete_jurney", "--home", home)
    assert unknown.exit_code == 2 and "complete_journey" in unknown.errors
    future = segments("nightly", "--source", str(five_customers), "--as-of", "2999-01-01", "--home", home)
    assert future.exit_code == 2 and "2999-01-01" in future.errors
    assert segments("nightly", "--as-of", "yesterday", "--home", home).exit_code == 2
    assert not (tmp_path / "home" / "serving").exists()


def test_check_says_what_a_source_has_before_any_run(five_customers: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    run = segments("check", "--source", str(five_customers), "--home", str(home))
    assert run.exit_code == 0, run.errors
    assert "transactions" in run.output and "web_events" in run.output
    assert not home.exists()
    write_csv(five_customers / "transactions" / "more.csv", "order_id,line_id,customer_id,ordered_at,amount,state", [])
    uneven = segments("check", "--source", str(five_customers), "--home", str(home))
    assert "✓ transactions: 2 files; without product_id" in uneven.output
    assert "✓ transactions: not like its other files: transactions/more.csv: not in the contract, so not landed: state" in uneven.output
    (five_customers / "source.yml").write_text("as_of_date: 2999-01-01\n")
    early = segments("check", "--source", str(five_customers), "--home", str(home))
    assert early.exit_code == 2 and "as_of_date of source.yml, 2999-01-01 has not begun" in early.output
    (five_customers / "source.yml").unlink()
    (five_customers / "customers.csv").unlink()
    broken = segments("check", "--source", str(five_customers), "--home", str(home))
    assert broken.exit_code == 2 and "customers" in broken.output + broken.errors
