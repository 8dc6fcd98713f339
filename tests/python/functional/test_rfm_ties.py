"""Equal values get equal RFM scores, on data where NTILE, the usual way, does not.

The models `rfm_cut_points` and `rfm_segments` are run by dbt as they are, on a table of features made here.
"""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

PROJECT = Path(__file__).parents[3]

# Eight of ten customers ordered once: whatever five equal groups are made of them, a tie is cut.
FEATURES = """
    create schema features;
    create table features.customer_order_features as
    select
        'c' || number as customer_id,
        date '2024-03-01' as as_of_date,
        cast(1 + number % 3 as integer) as recency_days,
        cast(case when number % 10 < 8 then 1 else number % 10 end as bigint) as order_count,
        cast(case when number % 10 < 6 then 9.99 else number % 10 end as decimal(18, 2)) as net_amount
    from range(1000) as numbers(number);
"""

MEASURES = [("recency_days", "recency_score"), ("order_count", "frequency_score"), ("monetary_value", "monetary_score")]


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """The database after dbt has scored the planted customers."""
    folder = tmp_path_factory.mktemp("rfm_ties")
    database = folder / "warehouse.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(FEATURES)
    environment = os.environ | {"SEGMENTS_DATABASE": str(database), "SEGMENTS_LANDING": str(folder), "DO_NOT_TRACK": "1"}
    command = [sys.executable, "-m", "dbt.cli.main", "run", "--select", "rfm_cut_points", "rfm_segments"]
    seed = [sys.executable, "-m", "dbt.cli.main", "seed", "--select", "rfm_rules"]
    for step in (seed, command):
        step += ["--profiles-dir", str(PROJECT), "--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
        step += ["--vars", "{as_of_date: 2024-03-01}"]
        done = subprocess.run(step, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return duckdb.connect(str(database), read_only=True)


@pytest.mark.parametrize(("measure", "score"), MEASURES)
def test_equal_values_get_equal_scores(scored: duckdb.DuckDBPyConnection, measure: str, score: str) -> None:
    customers, torn = scored.execute(
        f"select sum(customers), count(*) filter (where scores > 1) from "
        f"(select count(*) as customers, count(distinct {score}) as scores from segments.rfm_segments group by {measure})"
    ).fetchone() or (0, 0)
    assert customers == 1000
    assert torn == 0


@pytest.mark.parametrize(("measure", "score"), MEASURES)
def test_ntile_would_tear_them_apart(scored: duckdb.DuckDBPyConnection, measure: str, score: str) -> None:
    (torn,) = scored.execute(
        f"select count(*) from (select {measure} from "
        f"(select {measure}, ntile(5) over (order by {measure}, customer_id) as score from segments.rfm_segments) "
        f"group by {measure} having count(distinct score) > 1)"
    ).fetchone() or (0,)
    assert torn > 0, f"the planted {measure} has too few ties to prove anything about {score}"


def test_the_tied_majority_is_one_segment_per_recency(scored: duckdb.DuckDBPyConnection) -> None:
    rows = scored.execute(
        "select recency_score, count(distinct segment) from segments.rfm_segments "
        "where order_count = 1 and monetary_value = 9.99 group by recency_score"
    ).fetchall()
    assert rows
    assert all(segments == 1 for _, segments in rows)
