"""Maximum likelihood for models with a few positive parameters: several starts, a verdict on convergence, standard errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Array = NDArray[np.float64]
# Log-likelihood and its gradient, both for the parameters themselves.
Likelihood = Callable[[Array], tuple[float, Array]]

# Beyond these a parameter has run away: the data does not say where it is (e to the power of these).
LOWEST_LOGARITHM, HIGHEST_LOGARITHM = -9.0, 14.0
# Slope of the log-likelihood of one customer, by the logarithm of a parameter, that still counts as flat.
FLAT = 1e-6
STEP = 1e-4
# Why a search ended nowhere.
RUN_AWAY, NO_MAXIMUM = "parameters_run_away", "no_maximum_found"
ENDED_NOWHERE = (RUN_AWAY, NO_MAXIMUM)


@dataclass(frozen=True)
class Maximum:
    """The best parameters found.

    Attributes:
        parameters: in the order of the starts.
        standard_errors: from the curvature there; None where it is no maximum.
        log_likelihood: of all customers.
        reason: why this is not to be used, as a code; None when it is.
    """

    parameters: Array
    standard_errors: Array | None
    log_likelihood: float
    reason: str | None


def maximise(likelihood: Likelihood, starts: Sequence[Sequence[float]], customers: float) -> Maximum:
    """Find the parameters that make what was observed most likely.

    The search is in logarithms, so that parameters stay positive, from every start; the best end counts. It has converged where the
    slope is flat, the curvature that of a maximum, and no parameter at its limit.
    """

    def loss(logarithms: Array) -> tuple[float, Array]:
        parameters = np.exp(logarithms)
        value, gradient = likelihood(parameters)
        if not (np.isfinite(value) and np.all(np.isfinite(gradient))):
            return 1e10, np.zeros_like(logarithms)
        return -value / customers, -gradient * parameters / customers

    bounds = [(LOWEST_LOGARITHM, HIGHEST_LOGARITHM)] * len(starts[0])
    ends = [
        optimize.minimize(
            loss, np.log(start), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500, "ftol": 1e-15, "gtol": FLAT / 10}
        )
        for start in starts
    ]
    best = _polish(loss, min(ends, key=lambda end: float(end.fun)).x)
    value, slope = loss(best)
    curvature = _curvature(loss, best)
    errors = _standard_errors(best, curvature, customers)
    if np.any(best <= LOWEST_LOGARITHM + 0.01) or np.any(best >= HIGHEST_LOGARITHM - 0.01):
        reason: str | None = RUN_AWAY
    elif errors is None or not np.max(np.abs(slope)) < FLAT * 10:
        reason = NO_MAXIMUM
    else:
        reason = None
    return Maximum(np.exp(best), errors, -value * customers, reason)


def _polish(loss: Callable[[Array], tuple[float, Array]], logarithms: Array) -> Array:
    """A few steps of Newton's method: the digits that a line search leaves open."""
    value, slope = loss(logarithms)
    for _ in range(5):
        if np.max(np.abs(slope)) < FLAT / 1000:
            break
        try:
            step = np.linalg.solve(_curvature(loss, logarithms), slope)
        except np.linalg.LinAlgError:
            break
        ahead = np.clip(logarithms - np.clip(step, -0.5, 0.5), LOWEST_LOGARITHM, HIGHEST_LOGARITHM)
        value_ahead, slope_ahead = loss(ahead)
        if not (value_ahead <= value + 1e-12 and np.max(np.abs(slope_ahead)) < np.max(np.abs(slope))):
            break
        logarithms, value, slope = ahead, value_ahead, slope_ahead
    return logarithms


def _curvature(loss: Callable[[Array], tuple[float, Array]], logarithms: Array) -> Array:
    """Second derivatives of the loss, from differences of its analytic slope."""
    rows = []
    for number in range(len(logarithms)):
        step = np.zeros_like(logarithms)
        step[number] = STEP
        rows.append((loss(logarithms + step)[1] - loss(logarithms - step)[1]) / (2 * STEP))
    matrix = np.array(rows)
    return (matrix + matrix.T) / 2


def _standard_errors(logarithms: Array, curvature: Array, customers: float) -> Array | None:
    """Of the parameters themselves; None where the curvature is not that of a maximum."""
    if not np.all(np.isfinite(curvature)):
        return None
    values = np.linalg.eigvalsh(curvature)
    if values[0] <= 1e-12 * max(values[-1], 1e-300) or values[0] <= 0:
        return None
    return np.asarray(np.exp(logarithms) * np.sqrt(np.diag(np.linalg.inv(curvature)) / customers), dtype=np.float64)
