"""What fitting and scoring lifetime value cost, beside the library lifetimes fitted row by row.

`python -m benchmarks.prediction` makes up customers who behave as BG/NBD says (day by day, two years), fits and scores them as a night
does, from one row per customer on, and prints CPU seconds, peak memory and the ratio to the library's fit of 1 million. Each measurement
has a process of its own.
docs/prediction.md holds the numbers.
"""

import multiprocessing
import multiprocessing.connection
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import click
import duckdb
import numpy as np

from orchestration.ingest.source import project_variables
from orchestration.prediction.bg_nbd import BgNbd
from orchestration.prediction.facts import FitKey, record_fit, transaction
from orchestration.prediction.fitting import FitRequest
from orchestration.prediction.lifetime_value import BG_NBD
from orchestration.prediction.scoring import score_states

TRUE = BgNbd(0.6, 40.0, 0.5, 3.0)
AT_MOST, STRETCH = 0.5, 0.3
COMPARED_WITH = 1_000_000
DAY = date(2026, 1, 1)
DAYS = 730
CHUNK = 500_000
QUIETLY = "set threads = 2; set memory_limit = '2GB'; set enable_progress_bar = false"
# A customer's chance to be alive and the states joined back: what models/prediction/customer_lifetime_values.sql does.
SCORE = """
    create table scored as
    select
        customers.customer_id,
        1 / (
            1 + case when customers.frequency = 0 then 0 else $a / ($b + customers.frequency - 1) * exp(least(
                ($r + customers.frequency) * (ln($alpha + customers.age_days) - ln($alpha + customers.recency_days)), 600
            )) end
        ) as probability_alive,
        probability_alive * ahead.expected_orders as expected_orders,
        probability_alive * ahead.discounted_orders as discounted_orders
    from features.customer_purchase_features as customers
    left join prediction.expected_orders as ahead on customers.frequency = ahead.frequency and customers.age_days = ahead.age_days
"""


def make(database: Path, customers: int) -> None:
    """Customers by day in a database as a night's features hold them."""
    draw = np.random.default_rng(1)
    with duckdb.connect(str(database)) as connection:
        connection.execute(QUIETLY)
        connection.execute("create schema features")
        connection.execute(
            """
            create table features.customer_purchase_features (
                customer_id bigint, frequency bigint, recency_days integer, age_days integer,
                earlier_frequency bigint, earlier_age_days integer
            )
            """
        )
        for start in range(0, customers, CHUNK):
            count = min(CHUNK, customers - start)
            age = draw.integers(30, DAYS, count).astype(np.float64)
            rate, leaves = draw.gamma(TRUE.r, 1 / TRUE.alpha, count), draw.beta(TRUE.a, TRUE.b, count)
            frequency, recency, now = np.zeros(count), np.zeros(count), np.zeros(count)
            alive = np.ones(count, dtype=bool)
            while alive.any():
                # One purchase a day.
                now = now + np.ceil(draw.exponential(1, count) / rate)
                bought = alive & (now <= age)
                frequency[bought] += 1
                recency[bought] = now[bought]
                alive = bought & (draw.uniform(size=count) >= leaves)
            rows = {"id": np.arange(start, start + count), "frequency": frequency, "recency": recency, "age": age}
            connection.register("made", rows)
            connection.execute("insert into features.customer_purchase_features select id, frequency, recency, age, null, null from made")
            connection.unregister("made")
        connection.execute(
            f"""
            create view features.fit_purchase_states as
            select
                date '{DAY}' as fit_day, 'whole' as sample, frequency, recency_days, age_days,
                count(*) as customers, 0 as holdout_purchases
            from features.customer_purchase_features group by all
            """
        )
        connection.execute("create schema rules; create table rules.thresholds as from 'seeds/thresholds.csv'")


def fit_and_score(database: Path) -> str:
    """As a night does, but for the holdout, for which there are no days here."""
    variables = project_variables()
    started = cpu_seconds()
    with transaction(database) as connection:
        connection.execute(QUIETLY)
        fit = BG_NBD.fit(FitRequest(connection, DAY, {**variables, "lifetime_value_holdout_days": 0}, {}))
        record_fit(connection, FitKey(BG_NBD.name, DAY, "day"), fit, 0, datetime.now(UTC))
    fitted = cpu_seconds()
    states = score_states(database, DAY, variables)["expected_orders"]
    with duckdb.connect(str(database)) as connection:
        connection.execute(QUIETLY)
        connection.execute(SCORE, {parameter.name: parameter.value for parameter in fit.parameters})
    found = ", ".join(f"{parameter.name} {parameter.value:.3f}" for parameter in fit.parameters)
    return f"fit {fitted - started:.1f} s, score {cpu_seconds() - fitted:.1f} s of CPU ({states:,} states; {found})"


def fit_by_the_library(database: Path) -> str:
    """Row by row, as the library takes them."""
    warnings.simplefilter("ignore")
    import lifetimes

    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute(QUIETLY)
        columns = connection.execute("select frequency, recency_days, age_days from features.customer_purchase_features").fetchnumpy()
    fitted = lifetimes.BetaGeoFitter().fit(*(columns[name].astype(np.float64) for name in ("frequency", "recency_days", "age_days")))
    return ", ".join(f"{name} {value:.3f}" for name, value in fitted.params_.items())


def cpu_seconds() -> float:
    """Of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measured(work: Callable[[Path], str], database: Path) -> tuple[float, float, str]:
    """CPU seconds without imports, peak memory in GB, and what it says about itself."""
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(work, database, sending))
    process.start()
    sending.close()
    found: tuple[float, float, str] = receiving.recv()
    process.join()
    return found


def _measure(work: Callable[[Path], str], database: Path, sending: "multiprocessing.connection.Connection") -> None:
    import scipy.optimize
    import scipy.special  # noqa: F401

    started = cpu_seconds()
    said = work(database)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    sending.send((cpu_seconds() - started, peak, said))


@click.command()
@click.option("--customers", type=int, multiple=True, default=(1_000_000, 5_000_000), show_default=True, help="How many; may be repeated.")
def main(customers: tuple[int, ...]) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        compared = Path(folder) / "compared.duckdb"
        make(compared, COMPARED_WITH)
        cpu, peak, said = measured(fit_by_the_library, compared)
        click.echo(f"lifetimes, fit of {COMPARED_WITH:,}: {cpu:.1f} s of CPU, {peak:.1f} GB ({said})")
        for count in customers:
            database = Path(folder) / f"customers_{count}.duckdb"
            make(database, count)
            clock = time.monotonic()
            own, memory, found = measured(fit_and_score, database)
            ratio = own / cpu
            verdict = "stretch" if ratio <= STRETCH else "reached" if ratio <= AT_MOST else "not reached"
            click.echo(f"{count:,} customers: {own:.1f} s of CPU, {time.monotonic() - clock:.1f} s, {memory:.1f} GB: {found}")
            click.echo(f"  ratio to the library's {COMPARED_WITH:,}: {ratio:.2f} (at most {AT_MOST}, stretch {STRETCH}): {verdict}")
            database.unlink()


if __name__ == "__main__":
    sys.exit(main())
