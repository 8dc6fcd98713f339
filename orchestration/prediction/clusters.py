"""Groups of customers who buy alike: found, moved with the customers, named. Pure functions: arrays in, numbers and names out.

A measure is a feature on the scale on which distances are taken (macro behaviour_measure); nan is what is not known of a customer.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Measures = NDArray[np.float64]

STARTS = 10
# A resample only asks whether the groups come again; its best of a few starts is enough for that.
STARTS_OF_A_RESAMPLE = 2
# Its cost grows with the square.
ROWS_FOR_SILHOUETTE = 2000
# What is published is what is used: numbers are rounded when they are found.
PLACES = 6
# Below this a measure is one and the same for everybody; rounding alone gives as much.
SMALLEST_SCALE = 0.001
# More than any distance: a pair that may not be.
FORBIDDEN = 1e9

PLAIN = "plain"
TYPICAL = "typical"
NUMBERED = "numbered"


@dataclass(frozen=True)
class Limits:
    """Thresholds of the segmentation behaviour_cluster: values from the model fit_cluster_limits, reasons in seeds/thresholds.csv."""

    minimum_customers: int
    minimum_clusters: int
    maximum_clusters: int
    minimum_share: float
    minimum_known_share: float
    cut_share: float
    resamples: int
    maximum_move: float
    minimum_deviation: float
    typical_deviation: float


@dataclass(frozen=True)
class Scale:
    """How a measure is standardised: cut off at `lower` and `upper`, then counted in `scale` from `centre`."""

    lower: float
    upper: float
    centre: float
    scale: float


@dataclass(frozen=True)
class Clusters:
    """Clusters of one fit, the largest first.

    Attributes:
        scales: of each feature that was used.
        centres: one row per cluster, one column per feature of `scales`, standardised.
        shares: of the customers fitted.
        agreement: mean adjusted Rand index between these clusters and those of resamples.
        silhouette: mean silhouette.
        is_found_anew: whether their number was chosen in this fit, and they were not moved from earlier ones.
    """

    scales: Mapping[str, Scale]
    centres: Measures
    shares: tuple[float, ...]
    agreement: float
    silhouette: float
    is_found_anew: bool


@dataclass(frozen=True)
class Name:
    """A name of the catalogue (seeds/behaviour_cluster_names.csv), and the place it describes in deviations from the typical customer.

    Attributes:
        kind: plain, typical (nothing sets the cluster apart) or numbered (no plain name fits).
        position: by feature; a feature that the name says nothing about is absent.
    """

    segment: str
    kind: str
    position: Mapping[str, float]


class NotFitted(Exception):
    """There is no answer, and the message is the code that says why."""


def find_scales(measures: Measures, features: Sequence[str], limits: Limits) -> dict[str, Scale]:
    """How each measure is standardised. Measures that are mostly unknown, or the same for nearly everybody, are left out.

    Cut off at percentiles, so that a few customers with extreme values neither make the scale nor a cluster of their own. The deviation is
    that of the values cut off: quartiles would be equal for shares of which most are zero.
    """
    scales: dict[str, Scale] = {}
    for feature, column in zip(features, measures.T, strict=True):
        known = column[~np.isnan(column)]
        if known.size == 0 or known.size < limits.minimum_known_share * column.size:
            continue
        lower, centre, upper = (round(float(cut), PLACES) for cut in np.quantile(known, [limits.cut_share, 0.5, 1 - limits.cut_share]))
        scale = round(float(np.clip(known, lower, upper).std()), PLACES)
        if scale >= SMALLEST_SCALE:
            scales[feature] = Scale(lower, upper, centre, scale)
    return scales


def standardise(measures: Measures, features: Sequence[str], scales: Mapping[str, Scale]) -> Measures:
    """The measures of `scales`, standardised. What is not known of a customer is taken for typical: it pulls towards no cluster."""
    columns = []
    for feature, scale in scales.items():
        column = measures[:, features.index(feature)]
        cut = np.clip(column, scale.lower, scale.upper)
        columns.append(np.where(np.isnan(column), 0.0, (cut - scale.centre) / scale.scale))
    return np.column_stack(columns)


def find_clusters(measures: Measures, features: Sequence[str], limits: Limits) -> Clusters:
    """Clusters with their number chosen: the one that resamples agree with most, of those whose smallest cluster is large enough.

    Of numbers that agree equally (to a hundredth) the one of the larger silhouette. Raises NotFitted.
    """
    scales, points = _points(measures, features, limits)
    distinct = len(np.unique(points, axis=0))
    candidates = []
    with _one_thread():
        for number in range(limits.minimum_clusters, min(limits.maximum_clusters, distinct) + 1):
            fitted = _k_means(points, number, STARTS)
            if _smallest_share(fitted) >= limits.minimum_share:
                candidates.append(_clusters(points, scales, fitted, limits, is_found_anew=True))
    if not candidates:
        raise NotFitted("no_clusters_large_enough")
    return max(candidates, key=lambda found: (round(found.agreement, 2), found.silhouette))


def move_clusters(measures: Measures, features: Sequence[str], limits: Limits, before: Clusters) -> Clusters | None:
    """As many clusters as before, found from where those lay; None where they cannot be followed: other features, or one nearly empty."""
    scales, points = _points(measures, features, limits)
    if list(scales) != list(before.scales):
        return None
    start = rescaled(before, scales)
    if len(np.unique(points, axis=0)) < len(start):
        return None
    with _one_thread():
        fitted = _k_means(points, len(start), 1, start)
        # Half of what it takes to be found: a cluster near that size shall not come and go.
        if _smallest_share(fitted) < limits.minimum_share / 2:
            return None
        return _clusters(points, scales, fitted, limits, is_found_anew=False)


def rescaled(clusters: Clusters, scales: Mapping[str, Scale]) -> Measures:
    """The centres of clusters, standardised as another fit standardises."""
    columns = [
        (clusters.scales[feature].centre + clusters.scales[feature].scale * column - scales[feature].centre) / scales[feature].scale
        for feature, column in zip(clusters.scales, clusters.centres.T, strict=True)
    ]
    return np.column_stack(columns)


def kept_names(clusters: Clusters, before: Clusters, names_before: Sequence[str], limits: Limits) -> dict[int, str]:
    """Names of earlier clusters for those that lie where they lay, each once, all ways together the shortest (Hungarian method)."""
    from scipy.optimize import linear_sum_assignment

    if list(clusters.scales) != list(before.scales):
        return {}
    places = rescaled(before, clusters.scales)
    ways = np.linalg.norm(clusters.centres[:, None, :] - places[None, :, :], axis=2)
    ways[ways > limits.maximum_move] = FORBIDDEN
    pairs = zip(*linear_sum_assignment(ways), strict=True)
    return {int(cluster): names_before[place] for cluster, place in pairs if ways[cluster, place] < FORBIDDEN}


def give_names(clusters: Clusters, catalogue: Sequence[Name], limits: Limits, kept: Mapping[int, str] | None = None) -> list[str]:
    """A name for each cluster: the one it has kept, otherwise the one that says what sets it apart, otherwise a numbered one.

    A plain name is possible where the cluster deviates from the typical customer in every direction that the name states; the typical one
    where it deviates nowhere much. Of the possible ones each cluster gets another, so that clusters lie as near to
    the places of their names as can be.
    """
    from scipy.optimize import linear_sum_assignment

    names = dict(kept or {})
    features = list(clusters.scales)
    waiting = [cluster for cluster in range(len(clusters.centres)) if cluster not in names]
    free = [name for name in catalogue if name.kind != NUMBERED and name.segment not in names.values()]
    if waiting and free:
        ways = np.array([[_way_to_name(clusters.centres[cluster], features, name, limits) for name in free] for cluster in waiting])
        for row, column in zip(*linear_sum_assignment(ways), strict=True):
            if ways[row, column] < FORBIDDEN:
                names[waiting[row]] = free[column].segment
    numbered = iter(name.segment for name in catalogue if name.kind == NUMBERED and name.segment not in names.values())
    return [names[cluster] if cluster in names else next(numbered) for cluster in range(len(clusters.centres))]


def to_parameters(clusters: Clusters, names: Sequence[str]) -> dict[str, float]:
    """Everything of a fit by name, as it is written down: what scoring, describing and the next fit need."""
    parameters = {
        "fit.clusters.number": float(len(names)),
        "fit.clusters.agreement": clusters.agreement,
        "fit.clusters.silhouette": clusters.silhouette,
        "fit.clusters.found_anew": float(clusters.is_found_anew),
    }
    for feature, scale in clusters.scales.items():
        for figure in ("lower", "upper", "centre", "scale"):
            parameters[f"feature.{feature}.{figure}"] = getattr(scale, figure)
    for name, share, centre in zip(names, clusters.shares, clusters.centres, strict=True):
        parameters[f"cluster.{name}.share"] = share
        parameters |= {f"cluster.{name}.{feature}": float(value) for feature, value in zip(clusters.scales, centre, strict=True)}
    return parameters


def from_parameters(parameters: Mapping[str, float], features: Sequence[str]) -> tuple[Clusters, list[str]]:
    """The clusters and names of a fit that was written down, the largest first."""
    parts = {tuple(parameter.split(".")): value for parameter, value in parameters.items()}
    shares = {name: value for (kind, name, *figure), value in parts.items() if kind == "cluster" and figure == ["share"]}
    names = sorted(shares, key=lambda name: (-shares[name], name))
    used = [feature for feature in features if ("feature", feature, "scale") in parts]
    figures = ("lower", "upper", "centre", "scale")
    return Clusters(
        scales={feature: Scale(*(parts["feature", feature, figure] for figure in figures)) for feature in used},
        centres=np.array([[parts["cluster", name, feature] for feature in used] for name in names]),
        shares=tuple(shares[name] for name in names),
        agreement=parts["fit", "clusters", "agreement"],
        silhouette=parts["fit", "clusters", "silhouette"],
        is_found_anew=bool(parts["fit", "clusters", "found_anew"]),
    ), names


def _points(measures: Measures, features: Sequence[str], limits: Limits) -> tuple[dict[str, Scale], Measures]:
    if len(measures) < max(limits.minimum_customers, limits.minimum_clusters):
        raise NotFitted("too_few_customers")
    scales = find_scales(measures, features, limits)
    if not scales:
        raise NotFitted("all_customers_alike")
    return scales, standardise(measures, features, scales)


def _one_thread() -> AbstractContextManager[Any]:
    """Several threads add up in the order in which they happen to finish; and the samples are too small to share.

    scikit-learn is imported here, so that a night without a fit does not wait for it, and first: only what is loaded is limited.
    """
    import sklearn.cluster  # noqa: F401
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)  # type: ignore[no-any-return]


def _k_means(points: Measures, number: int, starts: int, start: Measures | str = "k-means++", seed: int = 0) -> Any:
    from sklearn.cluster import KMeans

    return KMeans(number, init=start, n_init=starts, random_state=seed).fit(points)


def _smallest_share(fitted: Any) -> float:
    """Share of the smallest cluster; 0 where the centres have not come to rest."""
    if fitted.n_iter_ >= fitted.max_iter:
        return 0.0
    return float(np.bincount(fitted.labels_, minlength=len(fitted.cluster_centers_)).min() / len(fitted.labels_))


def _clusters(points: Measures, scales: Mapping[str, Scale], fitted: Any, limits: Limits, *, is_found_anew: bool) -> Clusters:
    from sklearn.metrics import silhouette_score

    number = len(fitted.cluster_centers_)
    centres = np.round(fitted.cluster_centers_, PLACES)
    sizes = np.bincount(fitted.labels_, minlength=number)
    order = sorted(range(number), key=lambda cluster: (-sizes[cluster], *centres[cluster]))
    labels = fitted.labels_[:ROWS_FOR_SILHOUETTE]
    several = 1 < len(np.unique(labels)) < len(labels)
    return Clusters(
        scales=scales,
        centres=centres[order],
        shares=tuple(round(float(sizes[cluster]) / len(points), PLACES) for cluster in order),
        agreement=_agreement(points, fitted.labels_, number, limits.resamples),
        silhouette=round(float(silhouette_score(points[:ROWS_FOR_SILHOUETTE], labels)), PLACES) if several else 0.0,
        is_found_anew=is_found_anew,
    )


def _agreement(points: Measures, labels: NDArray[np.int32], number: int, resamples: int) -> float:
    """Mean adjusted Rand index between labels and those that clusters of a random half of the customers give to all."""
    from sklearn.metrics import adjusted_rand_score

    indexes = []
    for seed in range(resamples):
        half = np.random.default_rng(seed).permutation(len(points))[: max(number, len(points) // 2)]
        if len(np.unique(points[half], axis=0)) >= number:
            again = _k_means(points[half], number, STARTS_OF_A_RESAMPLE, seed=seed).predict(points)
            indexes.append(adjusted_rand_score(labels, again))
    return round(float(np.mean(indexes)), PLACES) if indexes else 0.0


def _way_to_name(centre: Measures, features: Sequence[str], name: Name, limits: Limits) -> float:
    """How far a cluster lies from the place that a name describes; FORBIDDEN where the name would not be true."""
    if not set(name.position) <= set(features):
        return FORBIDDEN
    place = np.array([name.position.get(feature, 0.0) for feature in features])
    if name.kind == TYPICAL and np.abs(centre).max() > limits.typical_deviation:
        return FORBIDDEN
    stated = place != 0
    if np.any(centre[stated] * np.sign(place[stated]) < limits.minimum_deviation):
        return FORBIDDEN
    return float(np.linalg.norm(centre - place))
