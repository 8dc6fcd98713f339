"""What the purchase models know of customers: distinct states with how many customers are in each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class States:
    """Columns of equal length; times in the unit that the parameters are in.

    Attributes:
        frequency: purchases after the first one.
        recency: time from the first purchase to the last one.
        age: time from the first purchase to the end of what was observed.
        customers: how many customers are in the state.
    """

    frequency: Array
    recency: Array
    age: Array
    customers: Array

    @property
    def total(self) -> float:
        """All customers."""
        return float(self.customers.sum())


class Distinct:
    """The distinct values of a column, and which of them each row has: functions are evaluated once per value."""

    def __init__(self, column: Array) -> None:
        self.values, self._rows = np.unique(column, return_inverse=True)

    def spread(self, by_value: Array) -> Array:
        """A figure for each value → for each row."""
        return by_value[self._rows]
