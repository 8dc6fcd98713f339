"""What the purchase model in force expects of each state of a customer, for the SQL that joins it back (models/prediction)."""

from datetime import date
from pathlib import Path

import numpy as np

from orchestration.prediction.bg_nbd import PARAMETERS, BgNbd
from orchestration.prediction.calendar import fit_day
from orchestration.prediction.facts import FitKey, fitted_parameters, transaction
from orchestration.prediction.fitting import UNIT_DAYS, Variables
from orchestration.prediction.lifetime_value import BG_NBD, time_unit
from orchestration.prediction.states import Array

DAYS_OF_YEAR = 365.25
# Pieces of the horizon, each discounted from its middle: with months the error is below 5 in 100,000 at a tenth a year.
PIECES = 12
# States at once: what is held in memory does not grow with their number.
CHUNK = 100_000


def score_states(database: Path, day: date, variables: Variables) -> dict[str, int]:
    """Write prediction.expected_orders for a day: a row for each frequency and age of its customers; none without a fit.

    Returns how many rows were written, by table.
    """
    unit_days = UNIT_DAYS[time_unit(variables)]
    horizon = float(variables["lifetime_value_horizon_days"])
    rate = float(variables["lifetime_value_discount_rate"])
    with transaction(database) as connection:
        connection.execute("delete from prediction.expected_orders")
        parameters = fitted_parameters(
            connection, FitKey(BG_NBD.name, fit_day(day, str(variables["fit_every"])), BG_NBD.fitted_with(variables))
        )
        if not parameters:
            return {"expected_orders": 0}
        model = BgNbd(*(parameters[name] for name in PARAMETERS))
        states = connection.cursor().execute(
            """
            select frequency, age_days from features.customer_purchase_features where frequency is not null
            union
            select earlier_frequency, earlier_age_days from features.customer_purchase_features where earlier_frequency is not null
            order by all
            """
        )
        written = 0
        while rows := states.fetchmany(CHUNK):
            frequency, age_days = np.array(rows, dtype=np.float64).T
            expected, discounted = expected_orders(
                model, frequency, age_days / unit_days, horizon / unit_days, horizon / DAYS_OF_YEAR, rate
            )
            scored = {"frequency": frequency, "age_days": age_days, "expected_orders": expected, "discounted_orders": discounted}
            connection.register("scored", scored)
            connection.execute("insert into prediction.expected_orders select * from scored")
            connection.unregister("scored")
            written += len(rows)
        return {"expected_orders": written}


def expected_orders(
    model: BgNbd, frequency: Array, age: Array, horizon: float, horizon_years: float, yearly_rate: float
) -> tuple[Array, Array]:
    """Purchases within the horizon of customers who are alive, and the same with each worth less the later it comes.

    Args:
        model: the model in force.
        frequency: purchases after the first one.
        age: time since the first one, in the model's unit.
        horizon: how far ahead, in the same unit.
        horizon_years: the same in years.
        yearly_rate: how much less a purchase a year from now is worth.
    """
    by_now = np.zeros_like(age)
    discounted = np.zeros_like(age)
    for piece in range(1, PIECES + 1):
        by_then = model.purchases_if_alive(frequency, age, horizon * piece / PIECES)
        discounted += (by_then - by_now) * (1 + yearly_rate) ** (-horizon_years * (piece - 0.5) / PIECES)
        by_now = by_then
    return by_now, discounted
