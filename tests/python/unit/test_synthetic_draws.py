"""Chance in SQL has the distributions that it claims, and the parameters are what they must be."""

import math
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.synthetic.parameters import choice_slots, load_parameters, set_parameters, write_parameters

RANDOM_SQL = Path(__file__).parents[3] / "orchestration" / "synthetic" / "sql" / "random.sql"
DRAWS = 200_000


@pytest.fixture(scope="module")
def session() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set variable seed = 5")
        set_parameters(connection)
        connection.execute(RANDOM_SQL.read_text(encoding="utf-8"))
        yield connection


def test_draws_are_uniform_and_independent(session: duckdb.DuckDBPyConnection) -> None:
    (chi_square, correlation_k, correlation_entity, correlation_stream) = session.execute(
        f"""
        with draws as (
            select
                draw('a', range, 1) as u,
                draw('a', range, 2) as next_k,
                draw('a', range + 1, 1) as next_entity,
                draw('b', range, 1) as other
            from range({DRAWS})
        ),
        cells as (select count(*) as n from draws group by floor(u * 20), floor(next_k * 20))
        select
            (select sum((n - {DRAWS} / 400) ** 2 / ({DRAWS} / 400)) from cells),
            corr(u, next_k), corr(u, next_entity), corr(u, other)
        from draws
        """
    ).fetchall()[0]
    # 399 degrees of freedom: a deviation of 28; six of them either way.
    assert abs(chi_square - 399) < 6 * math.sqrt(2 * 399)
    assert max(abs(correlation_k), abs(correlation_entity), abs(correlation_stream)) < 5 / math.sqrt(DRAWS)


def test_draws_are_inside_the_open_unit_interval_and_depend_on_the_seed(session: duckdb.DuckDBPyConnection) -> None:
    low, high = session.execute(f"select min(draw('a', range, 0)), max(draw('a', range, 0)) from range({DRAWS})").fetchall()[0]
    assert 0 < low < 0.001
    assert 0.999 < high < 1
    (before,) = session.execute("select draw('a', 1, 1)").fetchall()[0]
    with session.cursor() as other:
        other.execute("set variable seed = 6")
        assert other.execute("select draw('a', 1, 1)").fetchall()[0][0] != before


@pytest.mark.parametrize("shape", [0.4, 0.606, 1.1, 2.0, 3.74, 6.25])
def test_gamma_draws_have_the_mean_and_variance_of_their_shape(session: duckdb.DuckDBPyConnection, shape: float) -> None:
    mean, variance = session.execute(
        f"select avg(x), var_samp(x) from (select gamma_draw({shape}, 'gamma', range, 0) as x from range({DRAWS}))"
    ).fetchall()[0]
    assert mean == pytest.approx(shape, rel=0.02)
    assert variance == pytest.approx(shape, rel=0.05)


def test_waits_are_exponential(session: duckdb.DuckDBPyConnection) -> None:
    mean, deviation = session.execute(
        f"select avg(x), stddev_samp(x) from (select draw_waiting('wait', range, 0, 5000) as x from range({DRAWS}))"
    ).fetchall()[0]
    assert mean == pytest.approx(5000, rel=0.02)
    assert deviation == pytest.approx(5000, rel=0.02)


def test_picks_follow_their_percentages(session: duckdb.DuckDBPyConnection) -> None:
    counted = dict(
        session.execute(
            f"select pick_given('payment_preference', 'web', draw('pick', range, 0)) as picked, count(*) / {DRAWS} "
            f"from range({DRAWS}) group by picked"
        ).fetchall()
    )
    planned = {name: share / 100 for name, share in load_parameters()["choices_given"]["payment_preference"]["web"].items()}
    assert counted == pytest.approx(planned, abs=0.01)


def test_a_choice_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`channel` add up to 90; make them add up to 100"):
        choice_slots("channel", {"store": 60, "web": 30})


def test_every_parameter_is_written_beside_the_truth(session: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = tmp_path / "parameters.parquet"
    write_parameters(session, file)
    written = session.execute(f"select parameter, by_group, \"option\", value from '{file}'").fetchall()
    assert ("occasional_rate_shape", None, None, 1.1) in written
    assert ("payment_preference", "web", "paypal", 30.0) in written
    assert len(written) == len(set(written)) > 300
