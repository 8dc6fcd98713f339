"""Behaviour clusters of a synthetic retailer that does not change: fits of neighbouring days agree, in whatever order they are made.

Nothing but what the clusters are made of is landed and built.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.ingest.landing import land
from orchestration.ingest.source import Source, project_variables, resolve_source
from orchestration.prediction.behaviour_clusters import BEHAVIOUR_CLUSTER
from orchestration.prediction.facts import Fit, FitKey, record_fit, transaction
from orchestration.prediction.fitting import FitRequest
from orchestration.settings import Settings
from orchestration.synthetic.generate import generate
from orchestration.transform import dbt

# In the middle of a year, and on both sides of a milestone.
DAYS = (date(2025, 7, 9), date(2025, 7, 10))
TURN = (date(2025, 12, 31), date(2026, 1, 1))
FEATURES = ["+int_order_lines", "+customer_behaviour_features", "+fit_cluster_measures", "fit_cluster_limits"]
SEGMENTS = [
    *("stg_model_fits", "stg_model_parameters", "model_fits_in_force", "model_parameters_in_force"),
    *("behaviour_cluster_parameters", "behaviour_cluster_segments"),
]
EMPTY_LOG = "truncate prediction.fits; truncate prediction.fitted_parameters"


@dataclass
class Retailer:
    """A working database of the retailer, that stands at one day at a time."""

    settings: Settings
    source: Source

    @property
    def database(self) -> Path:
        return self.settings.database(self.source.name)

    def run(self, day: date, *arguments: str) -> None:
        self.database.parent.mkdir(parents=True, exist_ok=True)
        dbt.run(arguments, settings=self.settings, source=self.source, as_of_date=day, build_id="build")

    def fit(self, day: date) -> Fit:
        """Make the fit of a day and write it down."""
        variables = {**project_variables(), **dbt.variables(self.source)}
        with transaction(self.database) as connection:
            fit = BEHAVIOUR_CLUSTER.fit(FitRequest(connection, day, variables, {}))
            key = FitKey(BEHAVIOUR_CLUSTER.name, day, BEHAVIOUR_CLUSTER.fitted_with(variables))
            record_fit(connection, key, fit, 0, datetime.now(UTC))
        return fit

    def empty_log(self) -> None:
        with transaction(self.database) as connection:
            connection.execute(EMPTY_LOG)

    def clusters(self, day: date) -> dict[str, str]:
        """The clusters of all customers in one by the fit of this day."""
        self.run(day, "run", "--select", *FEATURES)
        assert self.fit(day).converged
        self.run(day, "run", "--select", *SEGMENTS)
        with duckdb.connect(str(self.database), read_only=True) as connection:
            rows = connection.execute(
                "select customer_id, segment from segments.behaviour_cluster_segments"
                " where segment not in ('none', 'unknown') and fitted_as_of_date = ?",
                [day],
            ).fetchall()
        return dict(rows)


@pytest.fixture(scope="module")
def retailer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Retailer]:
    folder = tmp_path_factory.mktemp("behaviour") / "retailer"
    generate(folder, customers=1200, months=18)
    for table in folder.iterdir():
        if table.is_dir() and table.name not in ("customers", "transactions"):
            shutil.rmtree(table)
    with (folder / "source.yml").open("a", encoding="utf-8") as file:
        # Resamples measure, and decide the number of clusters alone: few of them make the test quick.
        file.write("vars:\n  fit_every: day\n  behaviour_cluster_minimum_customers: 300\n  behaviour_cluster_resamples: 3\n")
    settings = Settings(home=folder.parent / "home", source=str(folder))
    source = resolve_source(folder)
    land(source, settings.landing(source.name), datetime(2026, 1, 1, 6, tzinfo=UTC))
    retailer = Retailer(settings, source)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SEGMENTS_DATABASE", "SEGMENTS_LANDING", "DO_NOT_TRACK"):
            patch.setenv(name, "")
        retailer.run(DAYS[1], "seed")
        yield retailer


def moved(before: dict[str, str], after: dict[str, str]) -> float:
    """The share of those in a cluster on both days who are in one of another name."""
    both = before.keys() & after.keys()
    assert len(both) > 400
    return sum(before[customer] != after[customer] for customer in both) / len(both)


@pytest.mark.parametrize("days", [DAYS, TURN], ids=["within a year", "over the turn of a year"])
def test_two_fits_on_neighbouring_days_move_fewer_than_a_twentieth(retailer: Retailer, days: tuple[date, date]) -> None:
    retailer.empty_log()
    assert moved(retailer.clusters(days[0]), retailer.clusters(days[1])) < 0.05


def test_names_are_the_same_in_whatever_order_fits_are_made(retailer: Retailer) -> None:
    """Forwards, backwards, and from tables that stood at the day itself instead of a later one."""
    retailer.empty_log()
    retailer.run(DAYS[0], "run", "--select", *FEATURES)
    that_night = retailer.fit(DAYS[0])
    retailer.run(DAYS[1], "run", "--select", *FEATURES)
    made = []
    for order in (DAYS, DAYS[::-1]):
        retailer.empty_log()
        made.append({day: retailer.fit(day) for day in order})
    assert made[0] == made[1]
    assert made[0][DAYS[0]] == that_night


def test_a_fit_never_sees_what_came_on_its_day(retailer: Retailer) -> None:
    """The sample of the fit, and the features of the day that it is made for, are the same figures."""
    retailer.run(DAYS[1], "run", "--select", *FEATURES)
    with duckdb.connect(str(retailer.database), read_only=True) as connection:
        compared = connection.execute(
            """
            with sample as (
                select purchase_days, recency_days, amount_per_day, promoted_share, remote_share, gap_variation
                from features.fit_cluster_measures where counted_until = ?
            ),
            scored as (
                select
                    round(ln(1 + purchase_days), 4), round(ln(1 + recency_days), 4), round(ln(1 + cast(amount_per_day as double)), 4),
                    round(promoted_share, 4), round(remote_share, 4), round(ln(gap_variation), 4)
                from features.customer_behaviour_features where purchase_days >= 2
            )
            select
                (select count(*) from sample),
                (select count(*) from (from sample except all from scored)),
                (select count(*) from (from scored except all from sample))
            """,
            [DAYS[1]],
        ).fetchone()
    assert compared is not None
    assert compared[0] > 400
    assert compared[1:] == (0, 0)
