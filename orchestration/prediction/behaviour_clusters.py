"""The model behaviour_cluster: which customers buy alike, found in a sample as of a fit day.

**Clusters are found once and then followed.** On the first milestone (model fit_cluster_days) with enough customers their number is chosen
and they are named by what sets them apart. From there they are followed from milestone to milestone, and from the last one to the fit day:
the same number, found where the customers are now, names kept by matching centres. Where they cannot be followed they are found anew, and
keep the names that match. Milestones are days of the calendar, so what a fit gives depends on purchases before its day and on nothing that
happened to be fitted in between: nights, backfills forwards and backwards give the same names. A milestone in the log is read there.
"""

import contextlib
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
# As the macro behaviour_features lists them.
FEATURES = (
    *("purchase_days", "recency_days", "amount_per_day", "lines_per_day"),
    *("promoted_share", "remote_share", "gap_variation"),
)

Named = tuple[Clusters, list[str]]


def fitted_with(variables: Variables) -> str:
    """The settings that give the parameters their meaning; the macro behaviour_cluster_fitted_with writes the same."""
    return f"{variables['behaviour_cluster_window_days']} days"


def fit(request: FitRequest) -> Fit:
    """Clusters of the customers of a sample, by purchases before the fit day, and their names."""
    limits, catalogue = _limits(request), _catalogue(request)
    measures = _measures(request, request.day)
    try:
        clusters, names = _follow(measures, _last_milestone(request, limits, catalogue), limits, catalogue)
    except NotFitted as reason:
        return Fit(converged=False, reason=str(reason), rows_fitted=len(measures))
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


def _last_milestone(request: FitRequest, limits: Limits, catalogue: list[Name]) -> Named | None:
    """The clusters of the last milestone before the fit day; None where no milestone had enough customers."""
    rows = request.connection.execute(
        "select counted_until from features.fit_cluster_days where is_milestone and counted_until < ? order by counted_until desc",
        [request.day],
    ).fetchall()
    before: Named | None = None
    to_make = []
    for (day,) in rows:
        key = FitKey(NAME, day, fitted_with(request.variables))
        known = known_fit(request.connection, key)
        if known is not None and known.converged:
            before = from_parameters(fitted_parameters(request.connection, key), FEATURES)
            break
        to_make.append(day)
    for day in reversed(to_make):
        # A milestone with too little is passed over.
        with contextlib.suppress(NotFitted):
            before = _follow(_measures(request, day), before, limits, catalogue)
    return before


def _follow(measures: Measures, before: Named | None, limits: Limits, catalogue: list[Name]) -> Named:
    """The clusters of customers and their names, as they follow from earlier ones. Raises NotFitted."""
    moved = move_clusters(measures, FEATURES, limits, before[0]) if before else None
    clusters = moved or find_clusters(measures, FEATURES, limits)
    return clusters, give_names(clusters, catalogue, limits, kept_names(clusters, *before, limits) if before else None)


def _measures(request: FitRequest, counted_until: date) -> Measures:
    """The features of the customers of the sample before a day; unknown is nan."""
    columns = request.connection.execute(
        f"select {', '.join(FEATURES)} from features.fit_cluster_measures where counted_until = ? order by customer_number", [counted_until]
    ).fetchnumpy()
    return np.column_stack([np.ma.filled(columns[feature].astype(np.float64), np.nan) for feature in FEATURES])


def _limits(request: FitRequest) -> Limits:
    row = request.connection.execute(
        f"select {', '.join(field.name for field in fields(Limits))} from features.fit_cluster_limits"
    ).fetchone()
    return Limits(*row)  # type: ignore[misc]


def _catalogue(request: FitRequest) -> list[Name]:
    """The names of the seed; the numbered ones in the order of their numbers."""
    rows = request.connection.execute(
        f"select segment, kind, {', '.join(FEATURES)} from rules.behaviour_cluster_names order by len(segment), segment"
    ).fetchall()
    return [
        Name(segment, kind, {feature: place for feature, place in zip(FEATURES, places, strict=True) if place is not None})
        for segment, kind, *places in rows
    ]
