"""How well a purchase model foretells: fitted to the time before the holdout, held against the holdout.

The three views of Fader, Hardie and Lee (2005): all purchases of the holdout, by purchases made before it, and week by week.
"""

from datetime import date, timedelta
from typing import Protocol

import numpy as np

from orchestration.prediction.facts import Validation
from orchestration.prediction.states import Array, States

DAYS_OF_WEEK = 7
# Customers with more repeat purchases than this are one class: they are few.
HIGHEST_CLASS = 7


class PurchaseModel(Protocol):
    """What can be asked of a model of purchases, in the unit of time of its parameters."""

    def purchases_by(self, time: Array) -> Array:
        """Repeat purchases that a new customer makes up to some time after the first one."""

    def purchases_if_alive(self, frequency: Array, age: Array, horizon: float) -> Array:
        """Purchases within the horizon of customers who are alive."""

    def probability_alive(self, frequency: Array, recency: Array, age: Array) -> Array:
        """That a customer has not left."""


def purchases_ahead(model: PurchaseModel, states: States, horizon: float) -> Array:
    """Purchases that a customer of each state is expected to make within the horizon."""
    alive = model.probability_alive(states.frequency, states.recency, states.age)
    return alive * model.purchases_if_alive(states.frequency, states.age, horizon)


def holdout_validations(model: PurchaseModel, states: States, happened: Array, horizon: float) -> list[Validation]:
    """The holdout as a whole and by class of purchases before it.

    Args:
        model: fitted to these states.
        states: at the end of the calibration.
        happened: purchases of all customers of each state within the holdout.
        horizon: length of the holdout.
    """
    expected = purchases_ahead(model, states, horizon) * states.customers
    classes = np.minimum(states.frequency, HIGHEST_CLASS).astype(np.int64)

    def validation(measure: str, position: int, rows: Array | slice) -> Validation:
        customers, observed, predicted = (float(column[rows].sum()) for column in (states.customers, happened, expected))
        return Validation(measure, position, int(customers), observed, predicted)

    by_class = [validation("frequency", int(number), classes == number) for number in np.unique(classes)]
    return [validation("total", 0, slice(None)), *by_class]


def weekly_validations(
    model: PurchaseModel, first_day: date, first_purchases: Array, repeat_purchases: Array, unit_days: float
) -> list[Validation]:
    """Repeat purchases week by week from anybody's first purchase on, before and in the holdout; an incomplete week is left out.

    Args:
        model: fitted to the calibration.
        first_day: of the two columns.
        first_purchases: by day, customers of the calibration who began on it.
        repeat_purchases: by day, purchases of these customers after their first one.
        unit_days: days of the unit of time.
    """
    days = len(first_purchases)
    # By the end of each day a customer who began d days ago has made purchases_by(d).
    expected = np.convolve(first_purchases, model.purchases_by(np.arange(days) / unit_days))[:days]
    ends = np.arange(DAYS_OF_WEEK - 1, days, DAYS_OF_WEEK)
    by_week = np.diff(expected[ends], prepend=0.0)
    observed = np.diff(np.cumsum(repeat_purchases)[ends], prepend=0.0)
    begun = np.cumsum(first_purchases)[ends]
    return [
        Validation(
            "week",
            number,
            int(begun[number - 1]),
            float(observed[number - 1]),
            float(by_week[number - 1]),
            first_day + timedelta(days=DAYS_OF_WEEK * (number - 1)),
        )
        for number in range(1, len(ends) + 1)
    ]
