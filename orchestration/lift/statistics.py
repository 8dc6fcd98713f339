"""The comparison of the treated and the held-out side of one campaign, from counts, sums and sums of squares.

The intervals are statsmodels'. It is imported by the first comparison of a process: a night without a campaign does not pay for it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

# Below this expected count the chi-square distribution is no good (Cochran 1954): such strata are counted together.
LEAST_EXPECTED = 5
FOUR_PLACES = Decimal("0.0001")


@dataclass(frozen=True)
class Cell:
    """One side of one campaign in one stratum: a row of audience_lift_cells, money as decimals."""

    is_holdout: bool | None
    value_tier: str | None
    has_bought_before: bool
    customers: int
    contacted_customers: int
    responding_customers: int
    revenue: Decimal
    squared_revenue: Decimal
    spend_before: Decimal
    squared_spend_before: Decimal


@dataclass(frozen=True)
class Measurement:
    """What is measured of one campaign, in the columns of lift.measurements; None where it cannot be computed."""

    treated_customers: int
    holdout_customers: int
    treated_contacted: int
    holdout_contacted: int
    treated_responses: int
    holdout_responses: int
    treated_response_rate: float | None = None
    holdout_response_rate: float | None = None
    response_difference: float | None = None
    response_difference_lower: float | None = None
    response_difference_upper: float | None = None
    treated_revenue_per_customer: Decimal | None = None
    holdout_revenue_per_customer: Decimal | None = None
    revenue_difference: Decimal | None = None
    revenue_difference_lower: Decimal | None = None
    revenue_difference_upper: Decimal | None = None
    spend_before_difference: float | None = None
    balance_p_value: float | None = None


MEASURED = tuple(field.name for field in fields(Measurement))


@dataclass(frozen=True)
class _Amounts:
    """Amounts of so many customers, by their exact sum and sum of squares."""

    customers: int
    total: Decimal
    squares: Decimal

    @property
    def mean(self) -> Decimal:
        return self.total / self.customers

    @property
    def variance(self) -> Decimal:
        """Of the population that these customers are a sample of; computed in decimals, so that nothing cancels."""
        return max((self.squares - self.total * self.total / self.customers) / (self.customers - 1), Decimal(0))


def compare(cells: Sequence[Cell], confidence: float) -> Measurement:
    """The two sides of one campaign.

    Args:
        cells: all cells of the campaign; a side may be absent.
        confidence: share of intervals that hold the truth, between 0 and 1.
    """
    treated = [cell for cell in cells if cell.is_holdout is False]
    holdout = [cell for cell in cells if cell.is_holdout is True]
    customers = [sum(cell.customers for cell in side) for side in (treated, holdout)]
    responses = [sum(cell.responding_customers for cell in side) for side in (treated, holdout)]
    revenue = [_amounts(side, "revenue") for side in (treated, holdout)]
    before = [_amounts(side, "spend_before") for side in (treated, holdout)]
    found: dict[str, Any] = {}
    for name, people, buyers, amounts in zip(("treated", "holdout"), customers, responses, revenue, strict=True):
        if people:
            found[f"{name}_response_rate"] = buyers / people
            found[f"{name}_revenue_per_customer"] = amounts.mean.quantize(FOUR_PLACES)
    if min(customers) > 1:
        found["response_difference"] = responses[0] / customers[0] - responses[1] / customers[1]
        lower, upper = _rate_interval(responses, customers, confidence)
        found |= {"response_difference_lower": lower, "response_difference_upper": upper}
        difference = revenue[0].mean - revenue[1].mean
        lower_amount, upper_amount = _mean_interval(revenue, confidence) or (difference, difference)
        found["revenue_difference"] = difference.quantize(FOUR_PLACES)
        found["revenue_difference_lower"] = lower_amount.quantize(FOUR_PLACES)
        found["revenue_difference_upper"] = upper_amount.quantize(FOUR_PLACES)
        found["spend_before_difference"] = _standardised(before)
        found["balance_p_value"] = _balance(treated, holdout)
    return Measurement(
        treated_customers=customers[0],
        holdout_customers=customers[1],
        treated_contacted=sum(cell.contacted_customers for cell in treated),
        holdout_contacted=sum(cell.contacted_customers for cell in holdout),
        treated_responses=responses[0],
        holdout_responses=responses[1],
        **found,
    )


def _amounts(side: Sequence[Cell], name: str) -> _Amounts:
    zero = Decimal(0)
    return _Amounts(
        sum(cell.customers for cell in side),
        sum((getattr(cell, name) for cell in side), zero),
        sum((getattr(cell, f"squared_{name}") for cell in side), zero),
    )


def _rate_interval(responses: Sequence[int], customers: Sequence[int], confidence: float) -> tuple[float, float]:
    """Newcombe's hybrid score interval of a difference of two shares: it holds what it promises where shares are near 0 or sides small."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    lower, upper = confint_proportions_2indep(
        responses[0], customers[0], responses[1], customers[1], method="newcomb", compare="diff", alpha=1 - confidence
    )
    return float(lower), float(upper)


def _compared_means(sides: Sequence[_Amounts]) -> Any:
    """statsmodels' comparison of two samples; None where nothing varies.

    It is made for samples, and all it asks of one is how many, their mean and their variance. So each side is given as two amounts, each of
    half the weight, that have the same three.
    """
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

    if all(side.variance == 0 for side in sides):
        return None
    samples = []
    for side in sides:
        away = math.sqrt(float(side.variance) * (side.customers - 1) / side.customers)
        mean = float(side.mean)
        samples.append(DescrStatsW([mean - away, mean + away], weights=[side.customers / 2] * 2))
    return CompareMeans(*samples)


def _mean_interval(sides: Sequence[_Amounts], confidence: float) -> tuple[Decimal, Decimal] | None:
    """Welch's interval of a difference of two means, which need not have one variance; None where nothing varies."""
    compared = _compared_means(sides)
    if compared is None:
        return None
    lower, upper = compared.tconfint_diff(alpha=1 - confidence, usevar="unequal")
    return Decimal(repr(float(lower))), Decimal(repr(float(upper)))


def _standardised(before: Sequence[_Amounts]) -> float:
    """The difference of two means in standard deviations, the mean of both variances."""
    difference = float(before[0].mean - before[1].mean)
    deviation = math.sqrt(float(before[0].variance + before[1].variance) / 2)
    return difference / deviation if deviation else 0.0


def _balance(treated: Sequence[Cell], holdout: Sequence[Cell]) -> float | None:
    """How likely sides of one population are spread as differently over the strata (chi-square test of homogeneity).

    None where less than two strata are large enough.
    """
    from scipy.stats import chi2_contingency

    counts: dict[tuple[str, bool], list[int]] = {}
    for place, side in enumerate((treated, holdout)):
        for cell in side:
            counts.setdefault((cell.value_tier or "", cell.has_bought_before), [0, 0])[place] += cell.customers
    totals = [sum(cell.customers for cell in side) for side in (treated, holdout)]
    least = LEAST_EXPECTED * sum(totals) / min(totals)
    large = [count for _, count in sorted(counts.items()) if sum(count) >= least]
    rest = [sum(count[place] for count in counts.values() if sum(count) < least) for place in (0, 1)]
    strata = [*large, rest] if sum(rest) >= least else large
    return float(chi2_contingency(strata, correction=False).pvalue) if len(strata) > 1 else None
