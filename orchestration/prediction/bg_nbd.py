"""The BG/NBD model of repeat purchases (beta-geometric, negative binomial).

Fader, Hardie and Lee, "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model, Marketing Science 24 (2005), 275-284.
While alive a customer buys at random with a rate that differs between customers (gamma: r, alpha), and after each purchase leaves
for good with a probability that differs as well (beta: a, b). Equation numbers are the paper's.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from scipy import linalg, special

from orchestration.prediction.likelihood import Array, Likelihood, Maximum, maximise
from orchestration.prediction.states import Distinct, States

PARAMETERS = ("r", "alpha", "a", "b")
# Of the integration over the chance to leave: nine digits and more of usual customers; four of one who buys twenty times in the first week,
# a year ahead.
POINTS = 48


@dataclass(frozen=True)
class BgNbd:
    """The model with its parameters. alpha is in the unit of time of the states it was fitted to."""

    r: float
    alpha: float
    a: float
    b: float

    def purchases_by(self, time: Array) -> Array:
        """Repeat purchases that a new customer makes up to some time after the first one (the paper's equation 9)."""
        return self._purchases(np.zeros_like(time), np.zeros_like(time), time)

    def purchases_if_alive(self, frequency: Array, age: Array, horizon: float) -> Array:
        """Purchases within the horizon of customers who are alive (equation 10 without its denominator)."""
        return self._purchases(frequency, age, np.full_like(age, horizon))

    def _purchases(self, frequency: Array, age: Array, horizon: Array) -> Array:
        """Both expectations are this one.

        The paper writes it as a difference divided by a - 1, with a hypergeometric function in it: digits cancel where a is near 1, and the
        function fails for many purchases. It is the mean over p, the chance to leave after a purchase, of
        (1 - ((alpha + age) / (alpha + age + p x horizon))^(r + frequency)) / p, a smooth positive function; among customers who have come
        back so often and are alive p is distributed beta(a, b + frequency).
        """
        expected = np.empty_like(age)
        order = np.argsort(frequency, kind="stable")
        bounds = np.flatnonzero(np.diff(frequency[order], prepend=-1.0, append=np.inf))
        for start, end in pairwise(bounds):
            rows = order[start:end]
            chances, weights = beta_points(self.a, self.b + frequency[rows[0]])
            per_chance = (horizon[rows] / (self.alpha + age[rows]))[:, None]
            expected[rows] = -np.expm1(-(self.r + frequency[rows[0]]) * np.log1p(chances * per_chance)) @ (weights / chances)
        return expected

    def probability_alive(self, frequency: Array, recency: Array, age: Array) -> Array:
        """That a customer has not left; one of a customer who never came back, who has had no occasion to leave."""
        # Beyond this the odds are as good as infinite.
        silence = np.minimum((self.r + frequency) * (np.log(self.alpha + age) - np.log(self.alpha + recency)), 600)
        odds_against = self.a / (self.b + np.maximum(frequency, 1) - 1) * np.exp(silence)
        return np.where(frequency > 0, 1 / (1 + odds_against), 1.0)


@cache
def beta_points(a: float, b: float) -> tuple[Array, Array]:
    """Points and weights: the mean of a smooth function under a beta distribution is its weighted sum (Golub and Welsch 1969)."""
    number = np.arange(POINTS, dtype=np.float64)
    total = 2 * number + a + b
    # Recurrence of the Jacobi polynomials on the interval from 0 to 1.
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (1 + (a - b) * (a + b - 2) / ((total - 2) * total)) / 2
    middle[0] = a / (a + b)
    ahead = number[1:]
    beside = ahead * (ahead + a - 1) * (ahead + b - 1) * (ahead + a + b - 2) / ((total[1:] - 2) ** 2 * (total[1:] - 1) * (total[1:] - 3))
    beside[0] = a * b / ((a + b) ** 2 * (a + b + 1))
    points, vectors = linalg.eigh_tridiagonal(middle, np.sqrt(beside))
    return np.clip(points, 1e-300, 1.0), vectors[0] ** 2


def fit(states: States) -> Maximum:
    """The parameters under which these states are most likely."""
    age = max(float(np.average(states.age, weights=states.customers)), 1e-6)
    purchases = max(float(np.average(states.frequency, weights=states.customers)), 1e-6)
    starts = [
        (r, max(r * age / purchases * share, 1e-3), a, b)
        for r, share, a, b in ((0.3, 0.5, 0.8, 2.4), (1.0, 0.5, 1.0, 5.0), (0.5, 1.0, 0.2, 1.0))
    ]
    return maximise(log_likelihood(states), starts, states.total)


def log_likelihood(states: States) -> Likelihood:
    """The log-likelihood of all customers and its gradient (equation 7), as a function of r, alpha, a, b."""
    frequency, recency, age = Distinct(states.frequency), Distinct(states.recency), Distinct(states.age)
    x = frequency.values
    weights = states.customers
    weights_of_x = np.bincount(np.searchsorted(x, states.frequency), weights=weights, minlength=len(x))
    came_back = states.frequency > 0
    customers = states.total

    def evaluate(parameters: Array) -> tuple[float, Array]:
        r, alpha, a, b = parameters
        of_x = special.gammaln(r + x) + special.gammaln(b + x) - special.gammaln(a + b + x)
        same = r * np.log(alpha) - special.gammaln(r) + special.gammaln(a + b) - special.gammaln(b)

        exponent = r + states.frequency
        log_age = age.spread(np.log(alpha + age.values))
        log_recency = recency.spread(np.log(alpha + recency.values))
        left_before = np.where(came_back, frequency.spread(np.log(a) - np.log(b + np.maximum(x, 1) - 1)), -np.inf)
        alive = -exponent * log_age
        gone = left_before - exponent * log_recency
        either = np.logaddexp(alive, gone)
        share_gone = np.exp(gone - either)
        value = float(weights_of_x @ of_x + customers * same + weights @ either)

        gone_weights = weights * share_gone
        alive_weights = weights - gone_weights
        digamma_ab = special.digamma(a + b + x)
        slope_r = weights_of_x @ special.digamma(r + x) + customers * (np.log(alpha) - special.digamma(r))
        slope_r -= alive_weights @ log_age + gone_weights @ log_recency
        slope_alpha = customers * r / alpha - (alive_weights * exponent) @ age.spread(1 / (alpha + age.values))
        slope_alpha -= (gone_weights * exponent) @ recency.spread(1 / (alpha + recency.values))
        both = customers * special.digamma(a + b) - weights_of_x @ digamma_ab
        slope_a = both + gone_weights.sum() / a
        slope_b = both + weights_of_x @ special.digamma(b + x) - customers * special.digamma(b)
        slope_b -= gone_weights @ frequency.spread(1 / (b + np.maximum(x, 1) - 1))
        return value, np.array([slope_r, slope_alpha, slope_a, slope_b])

    return evaluate
