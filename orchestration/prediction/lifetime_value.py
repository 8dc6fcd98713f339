"""The models behind lifetime value: what they read, when data is too little for them, and how each fit is tried on a holdout."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import duckdb
import numpy as np

from orchestration.prediction import bg_nbd, gamma_gamma, pareto_nbd
from orchestration.prediction.facts import Fit, Parameter, Validation
from orchestration.prediction.fitting import UNIT_DAYS, FitRequest, FittedModel, Variables
from orchestration.prediction.gamma_gamma import OrderValues
from orchestration.prediction.likelihood import Maximum
from orchestration.prediction.states import Array, States
from orchestration.prediction.validation import PurchaseModel, holdout_validations, weekly_validations

# More distinct states than this are counted in steps of a week, of two, of four, …: what a fit costs does not grow with the customers.
MOST_STATES = 400_000
WHOLE, CALIBRATION = "whole", "calibration"


@dataclass(frozen=True)
class Observed:
    """States of one sample, with the purchases of the holdout in each."""

    states: States
    happened: Array


def time_unit(variables: Variables) -> str:
    """The unit in which time is counted: parameters mean something in it alone."""
    return str(variables["lifetime_value_time_unit"])


def no_settings(_variables: Variables) -> str:
    """Nothing that gives the parameters another meaning."""
    return ""


# --- purchases -----------------------------------------------------------------------------------------------------------


def fit_purchases(
    request: FitRequest, names: tuple[str, ...], find: Callable[[States], Maximum], model_of: Callable[..., PurchaseModel]
) -> Fit:
    """Fit a purchase model to everybody, and once more to the calibration, to be tried on the holdout."""
    unit_days = UNIT_DAYS[time_unit(request.variables)]
    whole = read_states(request.connection, request.day, WHOLE, unit_days)
    customers = int(whole.states.total)
    if (reason := too_little(request, whole.states, unit_days)) is not None:
        return Fit(False, reason, customers)
    found = find(whole.states)
    fit = as_fit(found, names, customers)
    return replace(fit, **_tried_on_holdout(request, unit_days, find, model_of)) if fit.converged else fit


def too_little(request: FitRequest, states: States, unit_days: int) -> str | None:
    """Why there is nothing to fit, as a code; None where there is."""
    if not len(states.frequency):
        return "no_purchases"
    if not states.frequency.any():
        return "nobody_repeats"
    if float(states.age.max()) * unit_days < request.threshold("lifetime_value_minimum_history_days"):
        return "too_short_a_history"
    if float(states.customers[states.frequency > 0].sum()) < request.threshold("lifetime_value_minimum_repeat_buyers"):
        return "too_few_repeat_buyers"
    return None


def as_fit(found: Maximum, names: tuple[str, ...], customers: int) -> Fit:
    """What the search found, as the log has it."""
    if found.reason is not None or found.standard_errors is None:
        return Fit(False, found.reason, customers)
    parameters = zip(names, found.parameters, found.standard_errors, strict=True)
    return Fit(
        True, None, customers, found.log_likelihood, tuple(Parameter(name, float(value), float(error)) for name, value, error in parameters)
    )


def _tried_on_holdout(
    request: FitRequest, unit_days: int, find: Callable[[States], Maximum], model_of: Callable[..., PurchaseModel]
) -> dict[str, Any]:
    observed = read_states(request.connection, request.day, CALIBRATION, unit_days)
    if too_little(request, observed.states, unit_days) is not None:
        return {}
    found = find(observed.states)
    if found.reason is not None:
        return {}
    model = model_of(*(float(value) for value in found.parameters))
    first_day, until = calibration(request.connection, request.day)
    validations: list[Validation] = holdout_validations(model, observed.states, observed.happened, (request.day - until).days / unit_days)
    begun, repeated = read_cohort_days(request.connection, request.day, (request.day - first_day).days)
    validations += weekly_validations(model, first_day, begun, repeated, unit_days)
    return {"validations": tuple(validations), "calibrated_until": until, "validated_until": request.day}


def read_states(connection: duckdb.DuckDBPyConnection, day: date, sample: str, unit_days: int) -> Observed:
    """The distinct states of the customers of a sample."""
    connection.execute(
        """
        create or replace temp table states as
        select frequency, recency_days, age_days, customers, holdout_purchases
        from features.fit_purchase_states
        where fit_day = ? and sample = ?
        """,
        [day, sample],
    )
    step, count = 1, _count(connection, "select count(*) from states")
    while count > MOST_STATES:
        step = 7 if step == 1 else 2 * step
        count = _count(
            connection, f"select count(*) from (select distinct frequency, recency_days // {step}, age_days // {step} from states)"
        )
    # The middle of a step stands for its days; who never came back has no recency to be rounded.
    columns = connection.execute(
        f"""
        select
            cast(frequency as double) as frequency,
            cast(case when frequency = 0 then 0 else recency_days // {step} * {step} + {(step - 1) / 2} end as double) as recency,
            cast(age_days // {step} * {step} + {(step - 1) / 2} as double) as age,
            cast(sum(customers) as double) as customers,
            cast(sum(holdout_purchases) as double) as happened
        from states
        group by all
        order by all
        """
    ).fetchnumpy()
    states = States(columns["frequency"], columns["recency"] / unit_days, columns["age"] / unit_days, columns["customers"])
    return Observed(states, columns["happened"])


def calibration(connection: duckdb.DuckDBPyConnection, day: date) -> tuple[date, date]:
    """The first purchase day of anybody, and the first day of the holdout."""
    first, until = connection.execute(
        "select first_purchase_date, counted_until from features.fit_samples where fit_day = ? and sample = ?", [day, CALIBRATION]
    ).fetchall()[0]
    return first, until


def read_cohort_days(connection: duckdb.DuckDBPyConnection, day: date, days: int) -> tuple[Array, Array]:
    """First and repeat purchases of the calibration's customers, for each day from the first purchase of anybody to the fit day."""
    columns = connection.execute(
        "select day_number, first_purchases, repeat_purchases from features.fit_cohort_days where fit_day = ?", [day]
    ).fetchnumpy()
    begun, repeated = np.zeros(days), np.zeros(days)
    begun[columns["day_number"]] = columns["first_purchases"]
    repeated[columns["day_number"]] = columns["repeat_purchases"]
    return begun, repeated


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


# --- order values --------------------------------------------------------------------------------------------------------


def fit_order_values(request: FitRequest) -> Fit:
    """Fit what repeat buyers spend on a purchase."""
    columns = request.connection.execute(
        """
        select
            cast(frequency as double) as frequency,
            cast(amount_sum as double) / customers as amount,
            millionths_of_log_sum / 1e6 / customers as log_amount,
            cast(customers as double) as customers
        from features.fit_order_values
        where fit_day = ?
        order by all
        """,
        [request.day],
    ).fetchnumpy()
    values = OrderValues(columns["frequency"], columns["amount"], columns["log_amount"], columns["customers"])
    customers = int(values.customers.sum())
    if not customers:
        return Fit(False, "no_amounts", 0)
    if customers < request.threshold("lifetime_value_minimum_repeat_buyers"):
        return Fit(False, "too_few_repeat_buyers", customers)
    found = gamma_gamma.fit(values)
    fit = as_fit(found, gamma_gamma.PARAMETERS, customers)
    # Of such a distribution there is no mean, so none to expect of anybody.
    if fit.converged and gamma_gamma.GammaGamma(*found.parameters).mean_value() is None:
        return Fit(False, "amounts_without_a_mean", customers)
    return fit


BG_NBD = FittedModel(
    name="bg_nbd",
    description="Repeat purchases by the BG/NBD model, the one that scores.",
    inputs=("fit_purchase_states", "fit_samples", "fit_cohort_days"),
    fitted_with=time_unit,
    fit=lambda request: fit_purchases(request, bg_nbd.PARAMETERS, bg_nbd.fit, bg_nbd.BgNbd),
)
PARETO_NBD = FittedModel(
    name="pareto_nbd",
    description="Repeat purchases by the Pareto/NBD model, to be compared with.",
    inputs=("fit_purchase_states", "fit_samples", "fit_cohort_days"),
    fitted_with=time_unit,
    fit=lambda request: fit_purchases(request, pareto_nbd.PARAMETERS, pareto_nbd.fit, pareto_nbd.ParetoNbd),
)
GAMMA_GAMMA = FittedModel(
    name="gamma_gamma",
    description="What repeat buyers spend on a purchase, by the gamma-gamma model.",
    inputs=("fit_order_values",),
    fitted_with=no_settings,
    fit=fit_order_values,
)
MODELS = (BG_NBD, PARETO_NBD, GAMMA_GAMMA)
