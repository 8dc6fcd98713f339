"""The Pareto/NBD model of repeat purchases.

Schmittlein, Morrison and Colombo, Counting Your Customers, Management Science 33 (1987), 1-24; formulas as derived by Fader and
Hardie, A Note on Deriving the Pareto/NBD Model and Related Expressions (2005). While alive a customer buys at random with a rate that
differs between customers (gamma: r, alpha), and leaves at any time with a rate that differs as well (gamma: s, beta).

What makes this model hard is the likelihood of having left between the last purchase and now: a difference of two hypergeometric
functions that cancel each other's digits. It is the integral over the time of leaving, and is computed as that: over the logarithm of
the time, where the integrand is smooth, and as far as it is not negligible, a few points are enough. Its derivatives are averages over the
same points.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from orchestration.prediction.likelihood import Array, Likelihood, Maximum, maximise
from orchestration.prediction.states import States

PARAMETERS = ("r", "alpha", "s", "beta")
# States at once: what is held in memory does not grow with their number.
CHUNK = 20_000
_points, _shares = np.polynomial.legendre.leggauss(24)
POINTS, SHARES = (_points + 1) / 2, _shares / 2
# e to the power of minus this is nothing beside 1.
NEGLIGIBLE = 36.0


@dataclass(frozen=True)
class ParetoNbd:
    """The model with its parameters. alpha and beta are in the unit of time of the states it was fitted to."""

    r: float
    alpha: float
    s: float
    beta: float

    def purchases_by(self, time: Array) -> Array:
        """Repeat purchases that a new customer makes up to some time after the first one."""
        return self.r / self.alpha * self._time_alive(self.beta, time)

    def purchases_if_alive(self, frequency: Array, age: Array, horizon: float) -> Array:
        """Purchases within the horizon of customers who are alive."""
        return (self.r + frequency) / (self.alpha + age) * self._time_alive(self.beta + age, horizon)

    def probability_alive(self, frequency: Array, recency: Array, age: Array) -> Array:
        """That a customer has not left."""
        alive, gone, _ = _alive_or_gone(np.array([self.r, self.alpha, self.s, self.beta]), frequency, recency, age)
        return np.asarray(special.expit(alive - gone), dtype=np.float64)

    def _time_alive(self, start: Array | float, length: Array | float) -> Array:
        """Mean time alive within a length of time: start x (1 - (start / (start + length))^(s - 1)) / (s - 1), without its gap at s = 1."""
        logarithm = np.log1p(np.asarray(length) / start)
        return np.asarray(start * logarithm * special.exprel(-(self.s - 1) * logarithm), dtype=np.float64)


def fit(states: States) -> Maximum:
    """The parameters under which these states are most likely."""
    age = max(float(np.average(states.age, weights=states.customers)), 1e-6)
    purchases = max(float(np.average(states.frequency, weights=states.customers)), 1e-6)
    starts = [(r, max(r * age / purchases * share, 1e-3), s, age / 2) for r, share, s in ((0.5, 0.7, 0.6), (1.0, 1.0, 0.3))]
    return maximise(log_likelihood(states), starts, states.total)


def log_likelihood(states: States) -> Likelihood:
    """The log-likelihood of all customers and its gradient, as a function of r, alpha, s, beta."""
    customers = states.total

    def evaluate(parameters: Array) -> tuple[float, Array]:
        r, alpha, s, beta = parameters
        value = customers * (r * np.log(alpha) + s * np.log(beta) - special.gammaln(r))
        slope = customers * np.array([np.log(alpha) - special.digamma(r), r / alpha, np.log(beta), s / beta])
        for start in range(0, len(states.frequency), CHUNK):
            part = slice(start, start + CHUNK)
            frequency, age, weights = states.frequency[part], states.age[part], states.customers[part]
            alive, gone, slopes_of_gone = _alive_or_gone(parameters, frequency, states.recency[part], age)
            either = np.logaddexp(alive, gone)
            share_gone = np.exp(gone - either)
            alive_weights, gone_weights = weights * (1 - share_gone), weights * share_gone
            value += weights @ (special.gammaln(r + frequency) + either)
            slope_alive = (
                -alive_weights @ np.log(alpha + age),
                -(alive_weights * (r + frequency)) @ (1 / (alpha + age)),
                -alive_weights @ np.log(beta + age),
                -s * alive_weights @ (1 / (beta + age)),
            )
            slope += np.array(slope_alive) + np.array([gone_weights @ one for one in slopes_of_gone])
            slope[0] += weights @ special.digamma(r + frequency)
        return float(value), slope

    return evaluate


def _alive_or_gone(parameters: Array, frequency: Array, recency: Array, age: Array) -> tuple[Array, Array, list[Array]]:
    """Logarithms of the likelihood of being alive and of having left since the last purchase, and slopes of the latter."""
    r, alpha, s, beta = parameters
    log_alpha_then, log_beta_then = np.log(alpha + recency), np.log(beta + recency)
    alive = -(r + frequency) * np.log(alpha + age) - s * np.log(beta + age)
    # Time runs from the last purchase to now, in steps of the logarithm of time + the smaller of alpha and beta.
    base = min(alpha, beta)
    until = np.minimum(age, np.exp(np.minimum(log_alpha_then + NEGLIGIBLE / (r + frequency), 700)) - alpha)
    length = np.log1p((until - recency) / (base + recency))
    time = recency[:, None] + (base + recency)[:, None] * np.expm1(length[:, None] * POINTS)
    log_alpha, log_beta = np.log(alpha + time), np.log(beta + time)
    exponent = -(r + frequency)[:, None] * (log_alpha - log_alpha_then[:, None]) - (s + 1) * (log_beta - log_beta_then[:, None])
    weights = np.exp(exponent) * (base + time) * SHARES
    integral = weights.sum(axis=1)
    with np.errstate(divide="ignore"):
        gone = np.log(s) - (r + frequency) * log_alpha_then - (s + 1) * log_beta_then + np.log(length) + np.log(integral)
    # With the same points, averages over the time of leaving.
    weights /= integral[:, None]
    slopes = [
        -(weights * log_alpha).sum(axis=1),
        -(r + frequency) * (weights / (alpha + time)).sum(axis=1),
        1 / s - (weights * log_beta).sum(axis=1),
        -(s + 1) * (weights / (beta + time)).sum(axis=1),
    ]
    return alive, gone, slopes
