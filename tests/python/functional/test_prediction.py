"""Lifetime value end to end: the orders of the literature through a whole night, and shops that say nothing through all its parts."""

import math
import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from orchestration.ingest.source import Source, project_variables, resolve_source
from orchestration.prediction.behaviour_clusters import BEHAVIOUR_CLUSTER
from orchestration.prediction.bg_nbd import BgNbd
from orchestration.prediction.facts import transaction
from orchestration.prediction.fitting import fit_where_due
from orchestration.prediction.lifetime_value import MODELS
from orchestration.prediction.scoring import score_states
from orchestration.settings import Settings
from orchestration.transform import dbt
from tests.python.functional.conftest import Served, segments, write_csv
from tests.python.unit import cdnow

# --- the literature --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A night on the CDNOW sample as of the end of its calibration, in weeks."""
    folder = tmp_path_factory.mktemp("cdnow")
    orders = cdnow.orders()
    write_csv(folder / "source" / "customers.csv", "customer_id", [str(customer) for customer in sorted({order[0] for order in orders})])
    write_csv(
        folder / "source" / "transactions.csv",
        "order_id,line_id,customer_id,ordered_at,amount",
        [f"{number},1,{customer},{day}T12:00:00,{amount:.2f}" for number, (customer, day, amount) in enumerate(orders)],
    )
    settings = "as_of_date: 1997-10-01\ncurrency: USD\nvars:\n  lifetime_value_time_unit: week\n  lifetime_value_holdout_days: 90\n"
    (folder / "source" / "source.yml").write_text(settings, encoding="utf-8")
    run = segments("nightly", "--source", str(folder / "source"), "--home", str(folder / "home"))
    assert run.exit_code == 0, run.errors + run.output
    return Served(folder / "home")


def test_a_night_publishes_the_published_parameters(night: Served) -> None:
    """Fader, Hardie and Lee 2005, table 2; Fader and Hardie 2013, section 4."""
    columns = "model, parameter, value, standard_error, log_likelihood, rows_fitted, fitted_as_of_date"
    rows = night.query(f"select {columns} from published.model_parameters")
    found = {(model, parameter): value for model, parameter, value, *_ in rows}
    assert {key: round(value, 3) for key, value in found.items() if key[0] != "gamma_gamma"} == {
        **{("bg_nbd", "r"): 0.243, ("bg_nbd", "alpha"): 4.414, ("bg_nbd", "a"): 0.793, ("bg_nbd", "b"): 2.426},
        **{("pareto_nbd", "r"): 0.553, ("pareto_nbd", "alpha"): 10.578, ("pareto_nbd", "s"): 0.606, ("pareto_nbd", "beta"): 11.669},
    }
    assert [round(found["gamma_gamma", name], 2) for name in ("p", "q", "gamma")] == [6.25, 3.74, 15.44]
    likelihoods = {model: (round(likelihood, 1), customers, day) for model, _, _, _, likelihood, customers, day in rows}
    assert likelihoods["bg_nbd"] == (-9582.4, 2357, date(1997, 10, 1))
    assert likelihoods["pareto_nbd"] == (-9595.0, 2357, date(1997, 10, 1))
    assert likelihoods["gamma_gamma"][1:] == (946, date(1997, 10, 1))
    assert all(error > 0 for _, _, _, error, *_ in rows)


def test_every_customer_is_scored_by_the_formulas(night: Served) -> None:
    """What SQL and the joined-back states give is what the model itself gives for the same customer."""
    rows = night.query(
        """
        select frequency, recency_days, age_days, probability_alive, expected_orders, expected_order_value, customer_lifetime_value
        from published.customer_lifetime_values
        """
    )
    assert len(rows) == 2357
    parameters = dict(night.query("select parameter, value from published.model_parameters where model = 'bg_nbd'"))
    model = BgNbd(**parameters)
    frequency, recency, age, alive, ahead = (np.array([float(row[column]) for row in rows]) for column in range(5))
    assert np.allclose(alive, model.probability_alive(frequency, recency / 7, age / 7), rtol=1e-12)
    assert np.allclose(ahead, alive * model.purchases_if_alive(frequency, age / 7, 365 / 7), rtol=1e-9)
    for *_, expected, value, lifetime_value in rows:
        # Discounted by a tenth a year: less than the plain product and more than all of it at the end of the year.
        assert float(value) * expected / 1.1 - 0.02 <= float(lifetime_value) <= float(value) * expected + 0.02
    # Tiers by share of value, the largest values first.
    tiers = dict(
        night.query("select segment, cast(sum(customer_lifetime_value) as double) from published.value_tier_segments group by segment")
    )
    total = sum(tiers.values())
    assert 0.4 <= tiers["top"] / total < 0.45 and 0.7 <= (tiers["top"] + tiers["high"]) / total < 0.75


def test_fits_are_tried_on_their_holdout_and_reviewed(night: Served) -> None:
    columns = "model, customers, observed, predicted, relative_error"
    totals = night.query(f"select {columns} from published.model_validations where measure = 'total' order by model")
    assert [model for model, *_ in totals] == ["bg_nbd", "pareto_nbd"]
    for _, customers, observed, predicted, error in totals:
        assert customers == 2357 and error == pytest.approx(predicted / observed - 1)
    weeks = night.query("select count(*), sum(observed) from published.model_validations where measure = 'week' and model = 'bg_nbd'")
    assert weeks == [(39, 2457.0)]
    opened = {(model, reason) for model, reason in night.query("select model, reason from published.model_reviews")}
    limit = 0.25
    assert {model for model, reason in opened if reason == "total_off"} == {model for model, *_, error in totals if abs(error) > limit}
    assert night.query("select count(*) from published.model_reviews where what_to_do is null") == [(0,)]


# --- shops that say nothing --------------------------------------------------------------------------------------------------

AS_OF_DATE = date(2024, 3, 1)
# Customers who come and go as BG/NBD says, made once for all shops of them.
ORDINARY = "select *, {amount} as amount from '{orders}'"


def write_ordinary_orders(file: Path) -> None:
    draw = np.random.default_rng(5)
    rows = []
    for number in range(800):
        rate, leaves = draw.gamma(0.9, 1 / 25), draw.beta(0.6, 2.5)
        day = float(draw.integers(0, 200))
        while day < 425:
            rows.append((f"c{number}", number, date(2023, 1, 1) + timedelta(days=int(day))))
            day += np.ceil(draw.exponential() / rate)
            if len(rows) > 1 and rows[-2][1] == number and draw.uniform() < leaves:
                break
    with duckdb.connect() as connection:
        connection.execute("create table orders (customer_id varchar, number integer, order_date date)")
        connection.executemany("insert into orders values (?, ?, ?)", rows)
        connection.execute(f"copy orders to '{file}' (format parquet)")


# Orders, what is to be reviewed of purchases, of amounts and of clusters, and whether values are predicted all the same.
SHOPS = {
    "nothing was bought": (
        "select 'c1' as customer_id, date '2023-01-01' as order_date, 1 as amount where false",
        *("no_purchases", "no_amounts", "too_few_customers", False),
    ),
    "nobody repeats": (
        """
        select 'c' || number as customer_id, date '2023-01-01' + cast(number as integer) as order_date, 10 as amount
        from range(300) as customers (number)
        """,
        *("nobody_repeats", "no_amounts", "too_few_customers", False),
    ),
    "one customer": (
        """
        select 'c1' as customer_id, date '2023-01-01' + cast(7 * visit as integer) as order_date, 10 as amount
        from range(50) as visits (visit)
        """,
        *("too_few_repeat_buyers", "too_few_repeat_buyers", "too_few_customers", False),
    ),
    "all the same": (
        """
        select 'c' || number as customer_id, date '2023-01-01' + cast(7 * visit as integer) as order_date, 10 as amount
        from range(100) as customers (number) cross join range(60) as visits (visit)
        """,
        *("parameters_run_away", "parameters_run_away", "all_customers_alike", False),
    ),
    "a day of history": (
        "select 'c' || number as customer_id, date '2024-02-29' as order_date, 10 as amount from range(100) as customers (number)",
        *("nobody_repeats", "no_amounts", "too_few_customers", False),
    ),
    "huge amounts": (ORDINARY.replace("{amount}", "1e13 * (1 + number % 7)"), None, None, None, True),
    "all amounts zero": (ORDINARY.replace("{amount}", "0"), None, "no_amounts", None, True),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Source, Path]:
    """A source, where its working database belongs, and one that holds the rule tables and no customer."""
    folder = tmp_path_factory.mktemp("shop")
    write_csv(folder / "source" / "customers.csv", "customer_id", ["c1"])
    write_csv(folder / "source" / "transactions.csv", "order_id,line_id,customer_id,ordered_at,amount", [])
    # Clusters of as few customers as these shops have.
    (folder / "source" / "source.yml").write_text("vars:\n  behaviour_cluster_minimum_customers: 80\n", encoding="utf-8")
    settings = Settings(home=folder / "home", source=str(folder / "source"))
    source = resolve_source(settings.source)
    database = settings.database(source.name)
    database.parent.mkdir(parents=True)
    run_dbt(settings, source, "seed", "thresholds", "model_review_reasons", "behaviour_cluster_names", "behaviour_cluster_features")
    with transaction(database):
        pass
    write_ordinary_orders(folder / "orders.parquet")
    return settings, source, Path(shutil.copy(database, folder / "rules.duckdb"))


def plant_orders(connection: duckdb.DuckDBPyConnection, orders: str) -> None:
    """Working tables of purchases, one line an order, from a query of customer_id, order_date and amount."""
    connection.execute("create schema if not exists intermediate")
    connection.execute(
        f"""
        create or replace table intermediate.int_customer_days as
        select
            customer_id, order_date, 1 as purchase_orders, cast(amount as decimal(18, 2)) as net_amount,
            cast(order_date - lag(order_date) over (partition by customer_id order by order_date) as integer) as gap_days
        from ({orders})
        """
    )
    connection.execute(
        f"""
        create or replace table intermediate.int_order_lines as
        select
            customer_id, order_date, true as is_purchase_line, cast(null as varchar) as channel,
            cast(amount as decimal(18, 2)) as purchased_amount, cast(0 as decimal(18, 2)) as promoted_amount
        from ({orders})
        """
    )


def run_dbt(settings: Settings, source: Source, verb: str, *selection: str) -> None:
    dbt.run(
        [verb, "--select", *selection],
        settings=settings,
        source=source,
        as_of_date=AS_OF_DATE,
        build_id="shop",
    )


@pytest.mark.parametrize("name", SHOPS)
def test_a_shop_that_says_nothing_is_reviewed_and_never_crashes(shop: tuple[Settings, Source, Path], name: str) -> None:
    settings, source, rules = shop
    orders, purchases_review, amounts_review, clusters_review, is_predicted = SHOPS[name]
    database = settings.database(source.name)
    shutil.copy(rules, database)
    with duckdb.connect(str(database)) as connection:
        plant_orders(connection, orders.replace("{orders}", str(rules.parent / "orders.parquet")))
        connection.execute(
            f"""
            create table intermediate.int_customers as
            select distinct customer_id, date '{AS_OF_DATE}' as as_of_date from intermediate.int_customer_days
            union all select 'never bought', date '{AS_OF_DATE}'
            """
        )
    facts = ("int_customer_purchases", "customer_purchase_features", "int_customer_behaviour", "customer_behaviour_features")
    run_dbt(settings, source, "run", *facts, "fqn:customer_segments.features.fit_inputs")
    with duckdb.connect(str(database)) as connection:
        connection.execute("update operations.roll_up_state set earliest_as_of_date = $1, latest_as_of_date = $1", [AS_OF_DATE])
    variables = {**project_variables(), **source.vars}
    for model in (*MODELS, BEHAVIOUR_CLUSTER):
        fit_where_due(database, model, AS_OF_DATE, variables)
        # What failed is not tried again while nothing has changed.
        assert fit_where_due(database, model, AS_OF_DATE, variables) == {}
    score_states(database, AS_OF_DATE, variables)
    fitted = ("fqn:customer_segments.staging.prediction", "fqn:customer_segments.prediction")
    run_dbt(settings, source, "run", *fitted, "value_tier_segments", "behaviour_cluster_segments")

    with duckdb.connect(str(database), read_only=True) as connection:
        reviews = set(connection.execute("select model, reason from prediction.model_reviews_open where meaning is not null").fetchall())
        values = connection.execute("select * from prediction.customer_lifetime_values").fetchall()
        tiers = dict(connection.execute("select segment, count(*) from segments.value_tier_segments group by segment").fetchall())
        parameters = connection.execute("select value, standard_error from prediction.model_parameters_in_force").fetchall()
        differences = connection.execute("select * from prediction.behaviour_cluster_differences").fetchall()
        clustered = connection.execute("select * exclude (segment) from segments.behaviour_cluster_segments").fetchall()
        clusters = {segment for (segment,) in connection.execute("select segment from segments.behaviour_cluster_segments").fetchall()}
    expected = {("bg_nbd", purchases_review), ("gamma_gamma", amounts_review), ("behaviour_cluster", clusters_review)}
    assert {(model, reason) for model, reason in expected if reason} <= reviews, reviews
    if purchases_review is None:
        assert not {reason for model, reason in reviews if model == "bg_nbd"} & {"parameters_run_away", "no_maximum_found"}, reviews
    assert all(
        math.isfinite(figure) for row in (*values, *parameters, *differences, *clustered) for figure in row if isinstance(figure, float)
    )
    assert len(values) == sum(tiers.values())
    assert ("top" in tiers or "low" in tiers) == is_predicted, tiers
    assert len(clustered) == len(values)
    assert bool(clusters - {"none", "unknown"}) == (clusters_review is None) == bool(differences), clusters
    assert tiers["none"] == (1 if is_predicted else len(values))


def test_the_fit_of_a_day_does_not_depend_on_the_order_of_days(shop: tuple[Settings, Source, Path]) -> None:
    """Forwards and backwards over a month's edge: the same fits, each made once; a day that working tables do not stand at is refused."""
    settings, source, rules = shop
    days = [AS_OF_DATE + timedelta(days=number) for number in (-2, -1, 0, 1)]
    logs = []
    for order in (days, days[::-1]):
        database = settings.database(source.name)
        shutil.copy(rules, database)
        made = 0
        for day in order:
            made += len(_fit_on(settings, source, rules, day))
        with duckdb.connect(str(database), read_only=True) as connection:
            log = "select model, fitted_as_of_date, parameter, value from prediction.fitted_parameters order by all"
            logs.append((made, connection.execute(log).fetchall()))
    assert logs[0] == logs[1]
    assert logs[0][0] == 2 and {row[1] for row in logs[0][1]} == {date(2024, 2, 1), date(2024, 3, 1)}


def _fit_on(settings: Settings, source: Source, rules: Path, day: date) -> dict[date, object]:
    """The working tables brought to a day, and BG/NBD fitted where it is due."""
    database = settings.database(source.name)
    with duckdb.connect(str(database)) as connection:
        orders = ORDINARY.format(amount="10 + number % 7", orders=rules.parent / "orders.parquet")
        plant_orders(connection, f"select * from ({orders}) where order_date < date '{day}'")
    dbt.run(
        ["run", "--select", "fqn:customer_segments.features.fit_inputs"],
        settings=settings,
        source=source,
        as_of_date=day,
        build_id="shop",
    )
    with duckdb.connect(str(database)) as connection:
        connection.execute("update operations.roll_up_state set earliest_as_of_date = $1, latest_as_of_date = $1", [day])
    variables = {**project_variables(), **source.vars}
    with pytest.raises(Exception, match="stand at"):
        fit_where_due(database, MODELS[0], day + timedelta(days=1), variables)
    return dict(fit_where_due(database, MODELS[0], day, variables))
