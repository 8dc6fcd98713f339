"""The fitted models give what the literature gives, what the library lifetimes gives, and back what made-up customers were made with."""

import warnings
from datetime import date

import numpy as np
import pytest
from scipy import integrate, special

from orchestration.prediction import bg_nbd, gamma_gamma, pareto_nbd
from orchestration.prediction.bg_nbd import BgNbd
from orchestration.prediction.gamma_gamma import GammaGamma, OrderValues
from orchestration.prediction.likelihood import Array, Likelihood, Maximum
from orchestration.prediction.pareto_nbd import ParetoNbd
from orchestration.prediction.scoring import expected_orders
from orchestration.prediction.states import States
from orchestration.prediction.validation import holdout_validations, purchases_ahead, weekly_validations
from tests.python.unit import cdnow
from tests.python.unit.cdnow import Cdnow

HOLDOUT_WEEKS = 39.0


@pytest.fixture(scope="module")
def sample() -> Cdnow:
    return cdnow.read()


# --- the literature --------------------------------------------------------------------------------------------------------


def test_the_sample_is_the_papers(sample: Cdnow) -> None:
    """Fader, Hardie and Lee 2005, section 4: 2,357 customers, 946 of whom come back within 39 weeks."""
    assert sample.states.total == 2357
    assert (sample.states.frequency > 0).sum() == 946
    assert float(sample.states.age.max()) == pytest.approx(38.86, abs=0.005)


def test_bg_nbd_gives_the_published_values(sample: Cdnow) -> None:
    """Fader, Hardie and Lee 2005, table 2."""
    found = bg_nbd.fit(sample.states)
    assert found.reason is None
    assert [round(float(value), 3) for value in found.parameters] == [0.243, 4.414, 0.793, 2.426]
    assert round(found.log_likelihood, 1) == -9582.4


def test_pareto_nbd_gives_the_published_values(sample: Cdnow) -> None:
    """The same table."""
    found = pareto_nbd.fit(sample.states)
    assert found.reason is None
    assert [round(float(value), 3) for value in found.parameters] == [0.553, 10.578, 0.606, 11.669]
    assert round(found.log_likelihood, 1) == -9595.0


def test_gamma_gamma_gives_the_published_values(sample: Cdnow) -> None:
    """Fader and Hardie 2013, section 4: 946 repeat buyers."""
    assert len(sample.values.amount) == 946
    found = gamma_gamma.fit(sample.values)
    assert found.reason is None
    assert [round(float(value), 2) for value in found.parameters] == [6.25, 3.74, 15.44]


def test_the_holdout_is_foretold_as_in_the_paper(sample: Cdnow) -> None:
    """Fader, Hardie and Lee 2005, section 4.2: after 78 weeks the BG/NBD is 4 % below what happened, the Pareto/NBD 2 %."""
    model = BgNbd(*bg_nbd.fit(sample.states).parameters)
    other = ParetoNbd(*pareto_nbd.fit(sample.states).parameters)
    for one, percent_below in ((model, 4), (other, 2)):
        weeks = weekly_validations(one, date(1997, 1, 1), sample.first_purchases, sample.repeat_purchases, cdnow.WEEK)
        assert len(weeks) == 78 and weeks[-1].starts_on == date(1998, 6, 24)
        predicted, observed = np.cumsum([week.predicted for week in weeks]), np.cumsum([week.observed for week in weeks])
        assert observed[-1] == 4339
        assert round(100 * (1 - predicted[-1] / observed[-1])) == percent_below
        assert np.mean(np.abs(predicted[39:] / observed[39:] - 1)) < 0.03

        total, *classes = holdout_validations(one, sample.states, sample.happened, HOLDOUT_WEEKS)
        assert total.customers == 2357 and total.observed == 1882
        assert sum(part.predicted for part in classes) == pytest.approx(total.predicted)
        assert sum(part.observed for part in classes) == total.observed
        # Purchases by customers themselves, given what they did before: their paper's figure 4.
        assert 0.85 < total.predicted / total.observed < 0.95
        each = [(part.predicted / part.customers, part.observed / part.customers) for part in classes]
        assert [by_model for by_model, _ in each] == sorted(by_model for by_model, _ in each)
        assert all(abs(by_model - happened) < 0.5 for by_model, happened in each)


# --- the library that we could have used -----------------------------------------------------------------------------------


def test_the_library_agrees(sample: Cdnow) -> None:
    """lifetimes, fitted row by row on the same customers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes

        states, values = sample.states, sample.values
        theirs = lifetimes.BetaGeoFitter().fit(states.frequency, states.recency, states.age)
        amounts = lifetimes.GammaGammaFitter().fit(values.frequency, values.amount)
        ours = BgNbd(*bg_nbd.fit(states).parameters)
        assert [ours.r, ours.alpha, ours.a, ours.b] == pytest.approx([theirs.params_[name] for name in bg_nbd.PARAMETERS], rel=2e-3)
        ours_amounts = GammaGamma(*gamma_gamma.fit(values).parameters)
        theirs_amounts = [amounts.params_[name] for name in ("p", "q", "v")]
        assert [ours_amounts.p, ours_amounts.q, ours_amounts.gamma] == pytest.approx(theirs_amounts, rel=5e-3)

        # By their parameters, so that only the formulas are compared.
        same = BgNbd(*(float(theirs.params_[name]) for name in bg_nbd.PARAMETERS))
        alive = theirs.conditional_probability_alive(states.frequency, states.recency, states.age)
        assert np.allclose(same.probability_alive(states.frequency, states.recency, states.age), alive, rtol=1e-9)
        ahead = theirs.conditional_expected_number_of_purchases_up_to_time(39, states.frequency, states.recency, states.age)
        assert np.allclose(purchases_ahead(same, states, 39.0), ahead, rtol=1e-6)
        value = amounts.conditional_expected_average_profit(values.frequency, values.amount)
        assert np.allclose(GammaGamma(*theirs_amounts).expected_value(values.frequency, values.amount), value, rtol=1e-9)

        few = slice(0, 200)
        pareto = lifetimes.ParetoNBDFitter()
        pareto.params_ = theirs.params_.copy().reindex(["r", "alpha", "s", "beta"])
        pareto.params_[:] = (0.553, 10.578, 0.606, 11.669)
        model = ParetoNbd(0.553, 10.578, 0.606, 11.669)
        columns = (states.frequency[few], states.recency[few], states.age[few])
        assert np.allclose(model.probability_alive(*columns), pareto.conditional_probability_alive(*columns), rtol=1e-6)


# --- customers made with known parameters ------------------------------------------------------------------------------------


def made_by_bg_nbd(model: BgNbd, customers: int, seed: int) -> States:
    """Customers who behave as the model says, observed for between half a year and a year, in weeks."""
    draw = np.random.default_rng(seed)
    age = draw.uniform(26, 52, customers)
    rate = draw.gamma(model.r, 1 / model.alpha, customers)
    leaves = draw.beta(model.a, model.b, customers)
    frequency, recency, now = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    alive = np.ones(customers, dtype=bool)
    while alive.any():
        now = now + draw.exponential(1, customers) / rate
        bought = alive & (now <= age)
        frequency[bought] += 1
        recency[bought] = now[bought]
        alive = bought & (draw.uniform(size=customers) >= leaves)
    return States(frequency, recency, age, np.ones(customers))


def made_by_pareto_nbd(model: ParetoNbd, customers: int, seed: int) -> States:
    draw = np.random.default_rng(seed)
    age = draw.uniform(26, 52, customers)
    rate = draw.gamma(model.r, 1 / model.alpha, customers)
    until = np.minimum(age, draw.exponential(1, customers) / draw.gamma(model.s, 1 / model.beta, customers))
    frequency, recency, now = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    alive = np.ones(customers, dtype=bool)
    while alive.any():
        now = now + draw.exponential(1, customers) / rate
        alive = alive & (now <= until)
        frequency[alive] += 1
        recency[alive] = now[alive]
    return States(frequency, recency, age, np.ones(customers))


def made_by_gamma_gamma(model: GammaGamma, customers: int, seed: int) -> OrderValues:
    draw = np.random.default_rng(seed)
    frequency = 1.0 + draw.poisson(2, customers)
    scale = draw.gamma(model.q, 1 / model.gamma, customers)
    amount = draw.gamma(model.p * frequency, 1 / (scale * frequency))
    return OrderValues(frequency, amount, np.log(amount), np.ones(customers))


def assert_recovered(found: Maximum, true: tuple[float, ...]) -> None:
    """Every true value within three standard errors: of 30 intervals of two, one or two would miss by chance."""
    assert found.reason is None and found.standard_errors is not None
    assert np.all(np.abs(found.parameters - true) < 3 * found.standard_errors), (found, true)
    # An interval that covers everything shows nothing.
    assert np.all(found.standard_errors < 0.6 * np.array(true)), found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_known_parameters_are_recovered(seed: int) -> None:
    purchases = BgNbd(0.6, 6.0, 1.2, 3.0)
    assert_recovered(bg_nbd.fit(made_by_bg_nbd(purchases, 10_000, seed)), (0.6, 6.0, 1.2, 3.0))
    assert_recovered(pareto_nbd.fit(made_by_pareto_nbd(ParetoNbd(0.7, 8.0, 0.9, 15.0), 3_000, seed)), (0.7, 8.0, 0.9, 15.0))
    assert_recovered(gamma_gamma.fit(made_by_gamma_gamma(GammaGamma(5.0, 4.0, 20.0), 5_000, seed)), (5.0, 4.0, 20.0))


def test_equal_customers_may_be_counted_together(sample: Cdnow) -> None:
    rows = np.column_stack([sample.states.frequency, sample.states.recency, sample.states.age])
    states, counts = np.unique(rows, axis=0, return_counts=True)
    together = bg_nbd.fit(States(states[:, 0], states[:, 1], states[:, 2], counts.astype(np.float64)))
    assert len(counts) < sample.states.total
    assert together.parameters == pytest.approx(bg_nbd.fit(sample.states).parameters, rel=1e-6)


# --- formulas ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "at"), [(bg_nbd, (0.3, 5.0, 0.9, 2.2)), (pareto_nbd, (0.5, 9.0, 0.7, 14.0)), (pareto_nbd, (0.5, 14.0, 0.7, 9.0))]
)
def test_slopes_are_those_of_the_likelihood(sample: Cdnow, model: object, at: tuple[float, ...]) -> None:
    likelihood: Likelihood = model.log_likelihood(sample.states)  # type: ignore[attr-defined]
    assert_slopes(likelihood, np.array(at))


def test_slopes_of_order_values(sample: Cdnow) -> None:
    assert_slopes(gamma_gamma.log_likelihood(sample.values), np.array([5.0, 3.0, 20.0]))


def assert_slopes(likelihood: Likelihood, parameters: Array) -> None:
    _, slope = likelihood(parameters)
    for number, step in enumerate(np.eye(len(parameters)) * 1e-5):
        difference = (likelihood(parameters + step)[0] - likelihood(parameters - step)[0]) / 2e-5
        assert slope[number] == pytest.approx(difference, rel=1e-4, abs=1e-2)


def test_having_left_is_the_integral_over_when() -> None:
    """Over the whole range of parameters, with many purchases and none: the quadrature against a general one."""
    draw = np.random.default_rng(7)
    for _ in range(100):
        r, s = np.exp(draw.uniform(-3, 2, 2))
        alpha, beta = np.exp(draw.uniform(-2, 5, 2))
        x = float(draw.integers(0, 200)) if draw.random() < 0.5 else float(draw.integers(0, 3))
        age = draw.uniform(1, 600)
        recency = draw.uniform(0, age) if x else 0.0

        def density(time: float) -> float:
            return float(
                np.exp(-(r + x) * np.log((alpha + time) / (alpha + recency)) - (s + 1) * np.log((beta + time) / (beta + recency)))  # noqa: B023
            )

        points = [recency + (age - recency) * share for share in (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.3)]
        integral = integrate.quad(density, recency, age, points=points, limit=500, epsabs=0, epsrel=1e-11)[0]
        gone = np.log(s * integral) - (r + x) * np.log(alpha + recency) - (s + 1) * np.log(beta + recency)
        alive = -(r + x) * np.log(alpha + age) - s * np.log(beta + age)
        expected = 1 / (1 + np.exp(gone - alive))
        found = ParetoNbd(r, alpha, s, beta).probability_alive(np.array([x]), np.array([recency]), np.array([age]))
        assert found[0] == pytest.approx(expected, rel=1e-8, abs=1e-300)


def test_orders_ahead_are_those_of_customers_who_go_on(sample: Cdnow) -> None:
    """The conditional expectation is what customers of that state do, made up in their thousands and followed for longer."""
    model = BgNbd(0.6, 6.0, 1.2, 3.0)
    draw = np.random.default_rng(3)
    customers = 400_000
    rate = draw.gamma(model.r, 1 / model.alpha, customers)
    leaves = draw.beta(model.a, model.b, customers)
    now, before, ahead = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    alive = np.ones(customers, dtype=bool)
    while alive.any():
        now = now + draw.exponential(1, customers) / rate
        alive = alive & (now <= 52)
        before += alive & (now <= 26)
        ahead += alive & (now > 26)
        alive = alive & (draw.uniform(size=customers) >= leaves)
    # Who is known by purchases alone: of all with one purchase in 26 weeks, some are alive.
    assert model.purchases_by(np.array([26.0]))[0] == pytest.approx(before.mean(), rel=0.02)
    assert model.purchases_by(np.array([52.0]))[0] == pytest.approx((before + ahead).mean(), rel=0.02)
    never = before == 0
    expected = model.purchases_if_alive(np.array([0.0]), np.array([26.0]), 26.0)[0]
    assert ahead[never].mean() == pytest.approx(expected, rel=0.03)


def test_orders_ahead_are_the_papers_formula() -> None:
    """Equation 10, with the hypergeometric function, where that can be evaluated; and both sides of where it cannot."""
    frequency, age = np.array([0.0, 1, 2, 5, 20, 60, 0, 3]), np.array([39.0, 38, 20, 5, 39, 39, 0, 0])
    for r, alpha, a, b in ((0.243, 4.414, 0.793, 2.426), (1.4, 9.6, 0.194, 278.0), (0.6, 6.0, 1.2, 3.0)):
        model = BgNbd(r, alpha, a, b)
        for horizon in (1.0, 39.0, 365.0):
            z = horizon / (alpha + age + horizon)
            series = special.hyp2f1(r + frequency, b + frequency, a + b + frequency - 1, z)
            theirs = (a + b + frequency - 1) / (a - 1) * (1 - (1 - z) ** (r + frequency) * series)
            assert np.allclose(model.purchases_if_alive(frequency, age, horizon), theirs, rtol=1e-6)
    below, at, above = (BgNbd(0.5, 10.0, a, 2.0).purchases_if_alive(frequency, age, 52.0) for a in (0.9999, 1.0, 1.0001))
    assert np.allclose(at, (below + above) / 2, rtol=1e-6)


def test_discounting_takes_off_what_it_should() -> None:
    model = BgNbd(0.243, 4.414, 0.793, 2.426)
    frequency, age = np.array([0.0, 2.0, 7.0, 150.0]), np.array([30.0, 38.0, 20.0, 39.0])
    plain, same = expected_orders(model, frequency, age, 52.0, 1.0, 0.0)
    assert np.allclose(plain, same)
    assert np.allclose(plain, model.purchases_if_alive(frequency, age, 52.0))
    _, discounted = expected_orders(model, frequency, age, 52.0, 1.0, 0.1)
    # By day: what is bought on it, times what a day so far away is worth.
    days = np.arange(1, 365)
    by_day = np.array([model.purchases_if_alive(frequency, age, 52.0 * day / 364) for day in days])
    finely = (np.diff(by_day, axis=0, prepend=0.0) * (1.1 ** (-(days - 0.5) / 364))[:, None]).sum(axis=0)
    assert np.allclose(discounted, finely, rtol=5e-5)
    assert np.all(discounted < plain) and np.all(discounted > plain / 1.1)


@pytest.mark.parametrize("a", [0.01, 0.999999, 1.0, 1.000001, 1.5, 40.0])
def test_expectations_are_finite_numbers_for_any_customer(a: float) -> None:
    model = BgNbd(0.5, 10.0, a, 2.0)
    frequency, age = (grid.ravel() for grid in np.meshgrid([0.0, 1.0, 10.0, 300.0, 5000.0], [0.0, 1.0, 100.0, 10_000.0]))
    for horizon in (1.0, 365.0, 3650.0):
        expected, discounted = expected_orders(model, frequency, age, horizon, horizon / 365, 0.1)
        assert np.all(np.isfinite(expected)) and np.all(expected >= 0) and np.all(discounted <= expected)
        assert np.all(np.isfinite(model.probability_alive(frequency, np.minimum(frequency, age), age)))
        # Nobody buys more than who never leaves.
        assert np.all(expected <= (model.r + frequency) / (model.alpha + age) * horizon * 1.000001)


# --- data that says nothing ----------------------------------------------------------------------------------------------


def states_of(*rows: tuple[float, float, float, float]) -> States:
    return States(*(np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)))


@pytest.mark.parametrize(
    "states",
    [
        states_of((0, 0, 100, 500)),  # nobody comes back
        states_of((3, 90, 100, 1)),  # one customer
        states_of((5, 100, 100, 1000)),  # all the same, none of whom leaves
        states_of((0, 0, 0, 50)),  # a day of history
        states_of((1000, 1000, 1000, 30), (1, 1, 1000, 30)),
    ],
)
def test_states_that_say_nothing_are_an_answer(states: States) -> None:
    for model in (bg_nbd, pareto_nbd):
        found = model.fit(states)
        assert np.all(np.isfinite(found.parameters))
        assert found.reason in (None, "parameters_run_away", "no_maximum_found")
        if found.reason is None:
            assert found.standard_errors is not None and np.all(np.isfinite(found.standard_errors))


@pytest.mark.parametrize(("amount", "spread"), [(1e12, 0.5), (1e-2, 0.5), (10.0, 0.0)])
def test_amounts_of_any_size_are_an_answer(amount: float, spread: float) -> None:
    draw = np.random.default_rng(1)
    amounts = amount * np.exp(spread * draw.normal(size=500))
    found = gamma_gamma.fit(OrderValues(np.full(500, 2.0), amounts, np.log(amounts), np.ones(500)))
    assert np.all(np.isfinite(found.parameters))
    assert (found.reason is None) == (spread > 0)
    if spread:
        assert GammaGamma(*found.parameters).mean_value() == pytest.approx(amounts.mean(), rel=0.1)
