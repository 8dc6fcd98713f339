"""The gamma-gamma model of order values.

Fader and Hardie, The Gamma-Gamma Model of Monetary Value (2013). What a customer spends on a purchase varies around a mean of the
customer's own (gamma: p), and these means differ between customers (gamma: q, gamma). It is independent of how often they buy.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from orchestration.prediction.likelihood import Array, Likelihood, Maximum, maximise

PARAMETERS = ("p", "q", "gamma")


@dataclass(frozen=True)
class OrderValues:
    """Repeat buyers by frequency and mean amount; columns of equal length.

    Attributes:
        frequency: purchases after the first one.
        amount: mean amount of these purchases; above zero.
        log_amount: mean of the logarithms of the customers' mean amounts.
        customers: how many customers.
    """

    frequency: Array
    amount: Array
    log_amount: Array
    customers: Array


@dataclass(frozen=True)
class GammaGamma:
    """The model with its parameters. gamma is in the currency of the amounts it was fitted to."""

    p: float
    q: float
    gamma: float

    def mean_value(self) -> float | None:
        """The mean order value of all customers; None where it has none (q of at most one)."""
        return self.p * self.gamma / (self.q - 1) if self.q > 1 else None

    def expected_value(self, frequency: Array, amount: Array) -> Array:
        """The order value to expect of customers: the nearer to their own mean the more they have shown of it."""
        return np.asarray(self.p * (self.gamma + frequency * amount) / (self.p * frequency + self.q - 1), dtype=np.float64)


def fit(values: OrderValues) -> Maximum:
    """The parameters under which these amounts are most likely; fitted as multiples of their mean, so that any currency will do."""
    scale = float(np.average(values.amount, weights=values.customers))
    scaled = OrderValues(values.frequency, values.amount / scale, values.log_amount - np.log(scale), values.customers)
    customers = float(values.customers.sum())
    found = maximise(log_likelihood(scaled), ((1.0, 2.0, 1.0), (6.0, 4.0, 0.5), (3.0, 10.0, 3.0)), customers)
    unit = np.array([1.0, 1.0, scale])
    errors = None if found.standard_errors is None else found.standard_errors * unit
    # The density of an amount in its own currency is that of the multiple over the scale.
    return Maximum(found.parameters * unit, errors, found.log_likelihood - customers * float(np.log(scale)), found.reason)


def log_likelihood(values: OrderValues) -> Likelihood:
    """The log-likelihood of all repeat buyers and its gradient, as a function of p, q, gamma."""
    x, amount, weights = values.frequency, values.amount, values.customers
    customers = float(weights.sum())
    log_x = np.log(x)

    def evaluate(parameters: Array) -> tuple[float, Array]:
        p, q, gamma = parameters
        log_total = np.log(gamma + x * amount)
        value = weights @ (special.gammaln(p * x + q) - special.gammaln(p * x) + p * x * (log_x - log_total) - q * log_total)
        value += weights @ ((p * x - 1) * values.log_amount)
        value += customers * (q * np.log(gamma) - special.gammaln(q))
        both = special.digamma(p * x + q)
        slope_p = weights @ (x * (both - special.digamma(p * x) + log_x + values.log_amount - log_total))
        slope_q = weights @ (both - log_total) + customers * (np.log(gamma) - special.digamma(q))
        slope_gamma = customers * q / gamma - weights @ ((p * x + q) / (gamma + x * amount))
        return float(value), np.array([slope_p, slope_q, slope_gamma])

    return evaluate
