"""The BG/NBD model of repeat purchases (beta-geometric, negative binomial).

Fader, Hardie and Lee, "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model, Marketing Science 24 (2005), 275-284.
While alive a customer buys at random with a rate that differs between customers (gamma: r, alpha), and after each purchase leaves
for good with a probability that differs as well (beta: a, b). Equation numbers are the paper's.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from orchestration.prediction.likelihood import Array, Likelihood, Maximum, maximise
from orchestration.prediction.states import Distinct, States

PARAMETERS = ("r", "alpha", "a", "b")


@dataclass(frozen=True)
class BgNbd:
    """The model with its parameters. alpha is in the unit of time of the states it was fitted to."""

    r: float
    alpha: float
    a: float
    b: float

    def purchases_by(self, time: Array) -> Array:
        """Repeat purchases that a new customer makes up to some time after the first one (equation 9)."""
        z = time / (self.alpha + time)
        return self._growth(self.r, self.a + self.b - 1, 1 - z, z, self.b)

    def purchases_if_alive(self, frequency: Array, age: Array, horizon: float) -> Array:
        """Purchases within the horizon of customers who are alive (equation 10 without its denominator)."""
        z = horizon / (self.alpha + age + horizon)
        return self._growth(self.r + frequency, self.a + self.b + frequency - 1, 1 - z, z, self.b + frequency)

    def probability_alive(self, frequency: Array, recency: Array, age: Array) -> Array:
        """That a customer has not left; one of a customer who never came back, who has had no occasion to leave."""
        silence = np.exp((self.r + frequency) * (np.log(self.alpha + age) - np.log(self.alpha + recency)))
        odds_against = self.a / (self.b + np.maximum(frequency, 1) - 1) * silence
        return np.where(frequency > 0, 1 / (1 + odds_against), 1.0)

    def _growth(self, shape: Array | float, total: Array | float, rest: Array, z: Array, first: Array | float) -> Array:
        """Both expectations are this one: total / (a - 1) x (1 - rest^shape x 2F1(shape, first; total; z)).

        Euler's transformation takes the power out of the series, 2F1(shape, first; total; z) = rest^(total - shape - first) x
        2F1(total - shape, total - first; total; z), and with it the loss of digits where both factors are extreme. total - first is a - 1.
        At a = 1 numerator and denominator vanish together: a step aside is closer to the limit than the quotient of two zeros.
        """
        a = self.a if abs(self.a - 1) > 1e-7 else 1 + 1e-7
        total = total + (a - self.a)
        series = special.hyp2f1(total - shape, a - 1, total, z)
        return np.asarray(total / (a - 1) * (1 - rest ** (a - 1) * series), dtype=np.float64)


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
