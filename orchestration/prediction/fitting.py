"""When a model is fitted: where the day's fit is not in the log yet, or failed on fewer purchases than there are now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.errors import SegmentsError
from orchestration.prediction.calendar import fit_days
from orchestration.prediction.facts import Fit, FitKey, KnownFit, fitted_parameters, known_fit, record_fit, transaction
from orchestration.prediction.likelihood import ENDED_NOWHERE

Variables = Mapping[str, Any]
# The units in which the models of purchases may count time.
UNIT_DAYS = {"day": 1, "week": 7}
# After a search that ended nowhere, another one is made when more than this share of the purchases has come or gone: it is the dearest fit
# there is, and a few late rows lead it nowhere else.
CHANGE_WORTH_A_SEARCH = 0.01


@dataclass(frozen=True)
class FitRequest:
    """What a model is asked to fit.

    Attributes:
        connection: the working database; views of models/features/fit_inputs say what had happened before each fit day.
        day: the fit day; events before its midnight count.
        variables: dbt variables with the overrides of the source.
        before: parameters of the last good fit before this one, for models that name what they find after them; empty without one.
    """

    connection: duckdb.DuckDBPyConnection
    day: date
    variables: Variables
    before: Mapping[str, float]

    def threshold(self, name: str) -> float:
        """A number of seeds/thresholds.csv, or what the source says instead."""
        return threshold(self.connection, self.variables, name)


@dataclass(frozen=True)
class FittedModel:
    """A model that is fitted on the calendar.

    Attributes:
        name: as in the log and in `model_parameters`.
        description: one sentence for the lineage.
        inputs: dbt models that its fit reads.
        fitted_with: the settings that give its parameters their meaning, as one text.
        fit: makes the fit. Data that cannot be fitted is an answer (a Fit with a reason), never an exception.
    """

    name: str
    description: str
    inputs: tuple[str, ...]
    fitted_with: Callable[[Variables], str]
    fit: Callable[[FitRequest], Fit]


def fit_where_due(
    database: Path,
    model: FittedModel,
    day: date,
    variables: Variables,
    *,
    again: bool = False,
    on_fit: Callable[[date], None] | None = None,
) -> dict[date, Fit]:
    """Make sure that `day` has parameters of a model: fit its fit day where the log has no such fit, and while fits fail, those before it.

    Args:
        database: the working database, standing at `day`.
        model: the model.
        day: the day described.
        variables: dbt variables with the overrides of the source.
        again: try again what failed, even though nothing has changed.
        on_fit: told the fit day before each fit.

    Returns:
        The fits made now, by fit day; empty when the log had all that is needed.
    """
    fitted_with = model.fitted_with(variables)
    made: dict[date, Fit] = {}
    with transaction(database) as connection:
        require_standing_at(connection, day)
        for due in fit_days(day, str(variables["fit_every"])):
            key = FitKey(model.name, due, fitted_with)
            known = known_fit(connection, key)
            seen = None if known is not None and known.converged else purchases_before(connection, due)
            if known is None or (not known.converged and (again or is_worth_another_try(known, seen or 0))):
                if on_fit is not None:
                    on_fit(due)
                fit = model.fit(FitRequest(connection, due, variables, fitted_parameters(connection, key)))
                record_fit(connection, key, fit, seen or 0, datetime.now(UTC))
                made[due] = fit
                converged = fit.converged
            else:
                converged = known.converged
            # Before the first purchase there is nothing to go back to.
            if converged or seen == 0:
                break
    return made


def is_worth_another_try(failed: KnownFit, purchases: int) -> bool:
    """Whether a fit that failed may end otherwise with so many purchases before its day."""
    least_change = CHANGE_WORTH_A_SEARCH * failed.purchases_seen if failed.reason in ENDED_NOWHERE else 0
    return abs(purchases - failed.purchases_seen) > least_change


def require_standing_at(connection: duckdb.DuckDBPyConnection, day: date) -> None:
    """Raise SegmentsError when the working tables describe another day: what had happened before a fit day is read from them."""
    row = connection.execute("select earliest_as_of_date, latest_as_of_date from operations.roll_up_state").fetchone()
    if row != (day, day):
        stands = "unknown days" if row is None else " to ".join(dict.fromkeys(str(bound) for bound in row))
        raise SegmentsError(f"the working tables stand at {stands}, not at {day}: run the whole job of that day")


def purchases_before(connection: duckdb.DuckDBPyConnection, day: date) -> int:
    """Purchase days of all customers before a day: what a failed fit has to have more of (or less) to be tried again."""
    row = connection.execute(
        "select count(*) from intermediate.int_customer_days where order_date < ? and purchase_orders > 0", [day]
    ).fetchone()
    return int(row[0]) if row else 0


def threshold(connection: duckdb.DuckDBPyConnection, variables: Variables, name: str) -> float:
    """A number of seeds/thresholds.csv, or what the source says instead, as the models read it."""
    if name in variables:
        return float(variables[name])
    row = connection.execute("select value from rules.thresholds where name = ?", [name]).fetchone()
    if row is None:
        raise LookupError(f"seeds/thresholds.csv has no {name}")
    return float(row[0])
