"""What fits gave, as tables of the working database (schema prediction): a log that full refreshes leave alone.

The models of models/staging/prediction read these tables. Every function may be repeated and leaves the same rows when it is. A fit that
converged is never written again: days that have used it would get another past. One that failed is replaced when it is tried again.
"""

import datetime
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from orchestration.working_database import insert, transaction_with, utc

TABLES = (
    """
    create table if not exists prediction.fits (
        model string, fitted_as_of_date date, fitted_with string, converged boolean, reason string, log_likelihood double,
        rows_fitted bigint, purchases_seen bigint, fitted_at timestamp
    )
    """,
    """
    create table if not exists prediction.fitted_parameters (
        model string, fitted_as_of_date date, fitted_with string, parameter string, value double, standard_error double
    )
    """,
    """
    create table if not exists prediction.validations (
        model string, fitted_as_of_date date, fitted_with string, calibrated_until date, validated_until date,
        measure string, position integer, starts_on date, customers bigint, observed double, predicted double
    )
    """,
    """
    create table if not exists prediction.expected_orders (
        frequency bigint, age_days integer, expected_orders double, discounted_orders double
    )
    """,
)
LOG = ("fits", "fitted_parameters", "validations")
FACTS = (*LOG, "expected_orders")


@dataclass(frozen=True)
class Parameter:
    """One number that a fit found, with its standard error where there is one."""

    name: str
    value: float
    standard_error: float | None = None


@dataclass(frozen=True)
class Validation:
    """What a fit to the time before the holdout foretold for it, beside what happened.

    Attributes:
        measure: total, frequency (position: repeat purchases before the holdout) or week (position: number of the week).
        position: which class or week; 0 for the total.
        customers: how many it is about.
        observed: purchases that happened.
        predicted: purchases that were expected.
        starts_on: first day of a week; None of other measures.
    """

    measure: str
    position: int
    customers: int
    observed: float
    predicted: float
    starts_on: datetime.date | None = None


@dataclass(frozen=True)
class Fit:
    """What came of fitting one model.

    Attributes:
        converged: whether the parameters may be used.
        reason: why they may not, as a code (such as nobody_repeats); None where they may.
        rows_fitted: customers whose behaviour was fitted.
        parameters: empty where the fit failed.
        calibrated_until, validated_until: the first days after calibration and holdout; None without validations.
    """

    converged: bool
    reason: str | None
    rows_fitted: int
    log_likelihood: float | None = None
    parameters: tuple[Parameter, ...] = ()
    validations: tuple[Validation, ...] = ()
    calibrated_until: datetime.date | None = None
    validated_until: datetime.date | None = None


@dataclass(frozen=True)
class FitKey:
    """Which fit: of which model, with events before which day, with which settings (a change of them is another model)."""

    model: str
    day: datetime.date
    fitted_with: str


@dataclass(frozen=True)
class KnownFit:
    """What the log knows about a fit: whether it may be used, why not, and how many purchases there were when it was made."""

    converged: bool
    reason: str | None
    purchases_seen: int


def transaction(database: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """The working database with the tables of this module, in one transaction: all of it happens or nothing."""
    return transaction_with(database, "prediction", TABLES)


def known_fit(connection: duckdb.DuckDBPyConnection, key: FitKey) -> KnownFit | None:
    """What is known about a fit; None where it was never tried."""
    row = connection.execute(
        "select converged, reason, purchases_seen from prediction.fits where model = ? and fitted_as_of_date = ? and fitted_with = ?",
        [key.model, key.day, key.fitted_with],
    ).fetchone()
    return None if row is None else KnownFit(*row)


def fitted_parameters(connection: duckdb.DuckDBPyConnection, key: FitKey) -> dict[str, float]:
    """The latest good parameters of a model, of this day or before it; empty where there are none."""
    rows = connection.execute(
        """
        select parameter, value
        from prediction.fitted_parameters
        where model = $model and fitted_with = $fitted_with and fitted_as_of_date = (
            select max(fitted_as_of_date) from prediction.fits
            where model = $model and fitted_with = $fitted_with and fitted_as_of_date <= $day and converged
        )
        """,
        {"model": key.model, "fitted_with": key.fitted_with, "day": key.day},
    ).fetchall()
    return dict(rows)


def record_fit(connection: duckdb.DuckDBPyConnection, key: FitKey, fit: Fit, purchases_seen: int, fitted_at: datetime.datetime) -> None:
    """Enter what came of a fit. What an earlier attempt left is replaced."""
    identity = {"model": key.model, "fitted_as_of_date": key.day, "fitted_with": key.fitted_with}
    for table in LOG:
        connection.execute(
            f"delete from prediction.{table} where model = ? and fitted_as_of_date = ? and fitted_with = ?", list(identity.values())
        )
    made = {
        "converged": fit.converged,
        "reason": fit.reason,
        "log_likelihood": fit.log_likelihood,
        "rows_fitted": fit.rows_fitted,
        "purchases_seen": purchases_seen,
        "fitted_at": utc(fitted_at),
    }
    insert(connection, "prediction.fits", [{**identity, **made}])
    insert(
        connection,
        "prediction.fitted_parameters",
        [{**identity, "parameter": one.name, "value": one.value, "standard_error": one.standard_error} for one in fit.parameters],
    )
    validated = {**identity, "calibrated_until": fit.calibrated_until, "validated_until": fit.validated_until}
    insert(connection, "prediction.validations", [{**validated, **asdict(one)} for one in fit.validations])


def forget_fits_after(database: Path, moment: datetime.datetime) -> None:
    """Remove the fits that were made after a moment, in a database of its own that describes a day as it was known then."""
    with transaction(database) as connection:
        for table in LOG[::-1]:
            connection.execute(
                f"""
                delete from prediction.{table} as later
                where exists (
                    select 1 from prediction.fits
                    where
                        fits.model = later.model and fits.fitted_as_of_date = later.fitted_as_of_date
                        and fits.fitted_with = later.fitted_with and fits.fitted_at > ?
                )
                """,
                [utc(moment)],
            )
