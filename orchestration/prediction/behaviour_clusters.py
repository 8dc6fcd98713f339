"""The model behaviour_cluster: which customers buy alike, found in a sample as of a fit day.

**The clusters of a fit day are those of its year, moved.** On the first fit day of a year their number is chosen and they are named by what
sets them apart. A fit later in the year starts from there: the same number, found where the customers are now, names kept by matching
centres. Where that day had too little to be fitted, the first fit day of the quarter stands in, and without one the fit stands alone.
So what a fit gives depends on purchases before its day and on nothing that was fitted in between: nights, backfills forwards and backwards
give the same names.
"""

from dataclasses import fields
from datetime import date

import numpy as np

from orchestration.prediction.clusters import (
    Clusters,
    Limits,
    Measures,
    Name,
    NotFitted,
    find_clusters,
    from_parameters,
    give_names,
    kept_names,
    move_clusters,
    to_parameters,
)
from orchestration.prediction.facts import Fit, FitKey, Parameter, fitted_parameters, known_fit
from orchestration.prediction.fitting import FitRequest, FittedModel, Variables

NAME = "behaviour_cluster"
# The columns of fit_cluster_measures that are not features.
KEYS = ("counted_until", "customer_number")
# Where clusters are found, the first that had enough.
PERIODS = ("year", "quarter")


def fitted_with(variables: Variables) -> str:
    """The settings that give the parameters their meaning; the macro behaviour_cluster_fitted_with writes the same."""
    return f"{variables['behaviour_cluster_window_days']} days"


def fit(request: FitRequest) -> Fit:
    """Clusters of the customers of a sample, by purchases before the fit day, and their names."""
    features, measures = _sample(request, request.day)
    limits, catalogue = _limits(request), _catalogue(request, features)
    try:
        before = _clusters_of_the_period(request, limits, catalogue)
        moved = move_clusters(measures, features, limits, before[0]) if before else None
        clusters = moved or find_clusters(measures, features, limits)
    except NotFitted as reason:
        return Fit(converged=False, reason=str(reason), rows_fitted=len(measures))
    names = give_names(clusters, catalogue, limits, kept_names(clusters, *before, limits) if before else None)
    parameters = to_parameters(clusters, names)
    return Fit(
        converged=True,
        reason=None,
        rows_fitted=len(measures),
        parameters=tuple(Parameter(name, value) for name, value in parameters.items()),
    )


BEHAVIOUR_CLUSTER = FittedModel(
    name=NAME,
    description="Clusters of customers who buy alike.",
    inputs=("fit_cluster_days", "fit_cluster_measures", "fit_cluster_limits"),
    fitted_with=fitted_with,
    fit=fit,
)


def _clusters_of_the_period(request: FitRequest, limits: Limits, catalogue: list[Name]) -> tuple[Clusters, list[str]] | None:
    """The clusters and names that the year of the fit day began with, or its quarter; None without."""
    for period in PERIODS:
        day = _cluster_day(request, period)
        if day >= request.day:
            return None
        key = FitKey(NAME, day, fitted_with(request.variables))
        known = known_fit(request.connection, key)
        if known is not None and known.converged:
            return from_parameters(fitted_parameters(request.connection, key), _sample(request, day)[0])
        features, measures = _sample(request, day)
        try:
            clusters = find_clusters(measures, features, limits)
        except NotFitted:
            continue
        return clusters, give_names(clusters, catalogue, limits)
    return None


def _sample(request: FitRequest, counted_until: date) -> tuple[list[str], Measures]:
    """The features, and what they were for the customers of the sample before a day; unknown is nan."""
    result = request.connection.execute(
        "select * from features.fit_cluster_measures where counted_until = ? order by customer_number", [counted_until]
    )
    columns = {
        column: np.ma.filled(values.astype(np.float64), np.nan) for column, values in result.fetchnumpy().items() if column not in KEYS
    }
    return list(columns), np.column_stack(list(columns.values()))


def _cluster_day(request: FitRequest, period: str) -> date:
    row = request.connection.execute(
        "select counted_until from features.fit_cluster_days where fit_day = ? and found_in = ?", [request.day, period]
    ).fetchone()
    if row is None:
        raise LookupError(f"fit_cluster_days has no {period} for {request.day}")
    return row[0]  # type: ignore[no-any-return]


def _limits(request: FitRequest) -> Limits:
    row = request.connection.execute(
        f"select {', '.join(field.name for field in fields(Limits))} from features.fit_cluster_limits"
    ).fetchone()
    return Limits(*row)  # type: ignore[misc]


def _catalogue(request: FitRequest, features: list[str]) -> list[Name]:
    """The names of the seed, in alphabetical order but for the numbered ones, which come by number."""
    rows = request.connection.execute(
        f"select segment, kind, {', '.join(features)} from rules.behaviour_cluster_names order by len(segment), segment"
    ).fetchall()
    return [
        Name(segment, kind, {feature: place for feature, place in zip(features, places, strict=True) if place is not None})
        for segment, kind, *places in rows
    ]
