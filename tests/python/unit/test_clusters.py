"""Behaviour clusters on customers made by arithmetic: what is found, what is left out, and that names stay."""

import csv
import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orchestration.prediction import behaviour_clusters
from orchestration.prediction.clusters import (
    NUMBERED,
    PLAIN,
    TYPICAL,
    Clusters,
    Limits,
    Measures,
    Name,
    NotFitted,
    Scale,
    find_clusters,
    find_scales,
    from_parameters,
    give_names,
    kept_names,
    move_clusters,
    rescaled,
    standardise,
    to_parameters,
)

PROJECT = Path(__file__).parents[3]
FEATURES = ("purchase_days", "amount_per_day", "promoted_share")
LIMITS = Limits(
    minimum_customers=60,
    minimum_clusters=3,
    maximum_clusters=5,
    minimum_share=0.05,
    minimum_known_share=0.5,
    cut_share=0.01,
    resamples=4,
    maximum_move=1.0,
    minimum_deviation=0.25,
    typical_deviation=0.6,
)
CATALOGUE = (
    Name("frequent_buyers", PLAIN, {"purchase_days": 1.0}),
    Name("rare_buyers", PLAIN, {"purchase_days": -1.0}),
    Name("high_spend_buyers", PLAIN, {"amount_per_day": 1.0}),
    Name("frequent_promotion_buyers", PLAIN, {"purchase_days": 1.0, "promoted_share": 1.0}),
    Name("remote_buyers", PLAIN, {"remote_share": 1.0}),
    Name("typical_buyers", TYPICAL, {}),
    Name("other_buyers_1", NUMBERED, {}),
    Name("other_buyers_2", NUMBERED, {}),
)


def groups(*places: tuple[float, float, float], customers: int = 100, spread: float = 0.2, seed: int = 1) -> Measures:
    """As many customers around each place."""
    noise = np.random.default_rng(seed).normal(0, spread, (len(places) * customers, len(FEATURES)))
    return np.repeat(np.array(places, dtype=np.float64), customers, axis=0) + noise


FOUR = groups((3, 1, 0.2), (1, 1, 0.9), (3, 4, 0.2), (1, 4, 0.9))


def at(*centres: tuple[float, ...], scales: dict[str, Scale] | None = None) -> Clusters:
    """Clusters with these centres, on a scale that changes nothing."""
    scale = scales or {feature: Scale(-9, 9, 0, 1) for feature in FEATURES}
    shares = tuple(1 / len(centres) for _ in centres)
    return Clusters(scale, np.array(centres, dtype=np.float64), shares, agreement=1.0, silhouette=1.0, is_found_anew=True)


def test_groups_that_are_there_are_found() -> None:
    found = find_clusters(FOUR, FEATURES, LIMITS)
    assert len(found.centres) == 4
    assert found.shares == pytest.approx([0.25] * 4)
    assert found.agreement > 0.99
    assert found.silhouette > 0.6
    assert found.is_found_anew


def test_the_same_customers_give_the_same_fit() -> None:
    names = give_names(find_clusters(FOUR, FEATURES, LIMITS), CATALOGUE, LIMITS)
    assert to_parameters(find_clusters(FOUR, FEATURES, LIMITS), names) == to_parameters(find_clusters(FOUR, FEATURES, LIMITS), names)


def test_customers_without_groups_are_told_by_the_agreement() -> None:
    found = find_clusters(np.random.default_rng(5).normal(0, 1, (400, 3)), FEATURES, LIMITS)
    assert found.agreement < 0.65


def test_the_number_of_clusters_is_that_of_the_greatest_agreement() -> None:
    """Three groups asked for three, four or five: more than there are cannot be found twice."""
    assert len(find_clusters(groups((0, 0, 0), (4, 0, 0), (0, 4, 4)), FEATURES, LIMITS).centres) == 3


def test_a_cluster_too_small_for_a_plan_is_not_made() -> None:
    few = np.vstack([groups((0, 0, 0), (4, 0, 0), (0, 4, 4)), groups((9, 9, 9), customers=6)])
    found = find_clusters(few, FEATURES, replace(LIMITS, cut_share=0.0))
    assert min(found.shares) >= LIMITS.minimum_share
    with pytest.raises(NotFitted, match="no_clusters_large_enough"):
        find_clusters(few, FEATURES, replace(LIMITS, minimum_share=0.4))


@pytest.mark.parametrize(
    ("measures", "reason"),
    [
        (np.empty((0, 3)), "too_few_customers"),
        (np.zeros((1, 3)), "too_few_customers"),
        (np.full((100, 3), 2.5), "all_customers_alike"),
        (np.full((100, 3), np.nan), "all_customers_alike"),
        # Two kinds of customers cannot be three clusters.
        (np.repeat([[1.0, 1.0, 0.0], [2.0, 3.0, 1.0]], 50, axis=0), "no_clusters_large_enough"),
    ],
    ids=["nobody", "one customer", "all the same", "nothing known", "fewer kinds than clusters"],
)
def test_what_cannot_be_fitted_says_why(measures: Measures, reason: str) -> None:
    with pytest.raises(NotFitted, match=reason):
        find_clusters(measures, FEATURES, LIMITS)


def test_fewer_customers_than_clusters_is_no_crash_even_where_that_few_are_allowed() -> None:
    with pytest.raises(NotFitted, match="too_few_customers"):
        find_clusters(np.array([[1.0, 2.0, 0.0], [3.0, 1.0, 1.0]]), FEATURES, replace(LIMITS, minimum_customers=1))


def test_huge_amounts_neither_make_the_scale_nor_a_cluster() -> None:
    huge = FOUR.copy()
    huge[:2, 1] = np.log1p(1e16)
    found, usual = find_clusters(huge, FEATURES, LIMITS), find_clusters(FOUR, FEATURES, LIMITS)
    assert found.scales["amount_per_day"].scale == pytest.approx(usual.scales["amount_per_day"].scale, rel=0.1)
    assert min(found.shares) > 0.2
    assert np.isfinite(found.centres).all()


def test_a_measure_that_is_mostly_unknown_or_one_and_the_same_is_left_out() -> None:
    measures = FOUR.copy()
    measures[: len(measures) // 2 + 1, 2] = np.nan
    measures[:, 1] = 7
    assert list(find_scales(measures, FEATURES, LIMITS)) == ["purchase_days"]


def test_a_share_that_few_have_keeps_a_scale() -> None:
    """Quartiles of it would all be zero."""
    share = np.zeros((200, 1))
    share[:30] = 0.6
    scale = find_scales(share, ("promoted_share",), LIMITS)["promoted_share"]
    assert (scale.centre, scale.upper) == (0, 0.6)
    assert scale.scale > 0.1


def test_unknown_is_typical_and_beyond_the_cuts_is_at_the_cut() -> None:
    scales = {"purchase_days": Scale(0, 4, 1, 2), "promoted_share": Scale(0, 1, 0.5, 0.25)}
    measures = np.array([[9.0, 0.0, np.nan], [np.nan, 5.0, 0.75], [-9.0, 5.0, 0.5]])
    assert standardise(measures, FEATURES, scales).tolist() == [[1.5, 0.0], [0.0, 1.0], [-0.5, 0.0]]


def test_clusters_move_with_the_customers_and_keep_their_number_and_names() -> None:
    before = find_clusters(FOUR, FEATURES, LIMITS)
    names = give_names(before, CATALOGUE, LIMITS)
    moved = move_clusters(FOUR + np.array([0.3, 0.2, 0.0]), FEATURES, LIMITS, before)
    assert moved is not None
    assert not moved.is_found_anew
    kept = kept_names(moved, before, names, LIMITS)
    assert sorted(kept.values()) == sorted(names)
    places = dict(zip(names, rescaled(before, moved.scales), strict=True))
    for cluster, name in kept.items():
        assert np.linalg.norm(moved.centres[cluster] - places[name]) < 0.5


def test_clusters_of_other_features_cannot_be_followed() -> None:
    before = find_clusters(FOUR, FEATURES, LIMITS)
    now = FOUR.copy()
    now[:, 2] = 0
    assert move_clusters(now, FEATURES, LIMITS, before) is None
    assert kept_names(find_clusters(now, FEATURES, replace(LIMITS, maximum_clusters=3)), before, ["a", "b", "c", "d"], LIMITS) == {}


def test_a_cluster_that_has_emptied_cannot_be_followed() -> None:
    before = find_clusters(FOUR, FEATURES, LIMITS)
    # Nobody of the fourth group is left but a handful.
    assert move_clusters(np.vstack([FOUR[:300], FOUR[300:304]]), FEATURES, replace(LIMITS, cut_share=0.0), before) is None


def test_names_are_kept_by_the_shortest_ways_together_and_not_one_by_one() -> None:
    """One by one, the first cluster would take the name of the place next to it and leave the other one without."""
    before = at((0, 0, 0), (0.9, 0, 0))
    now = at((0.5, 0, 0), (1.3, 0, 0))
    assert kept_names(now, before, ["left", "right"], LIMITS) == {0: "left", 1: "right"}


def test_a_cluster_that_lies_too_far_away_gets_another_name() -> None:
    before, now = at((0, 0, 0), (2, 0, 0)), at((0, 0, 0), (2, 1.01, 0))
    assert kept_names(now, before, ["first", "second"], LIMITS) == {0: "first"}
    assert give_names(now, CATALOGUE, LIMITS, {0: "first"}) == ["first", "frequent_buyers"]


def test_places_are_compared_on_the_scale_of_the_new_fit() -> None:
    """One deviation above the middle then, three now that everybody has come down: another place, although the numbers look alike."""
    before = at((1.0,), (0.0,), (0.0,), scales={"purchase_days": Scale(0, 9, 4, 1)})
    now = replace(before, scales={"purchase_days": Scale(0, 9, 2, 1)})
    assert rescaled(before, now.scales).ravel().tolist() == [3.0, 2.0, 2.0]
    assert 0 not in kept_names(now, before, ["a", "b", "c"], LIMITS) or kept_names(now, before, ["a", "b", "c"], LIMITS)[0] != "a"


@pytest.mark.parametrize(
    ("centre", "name"),
    [
        ((1.5, 0.1, 0.0), "frequent_buyers"),
        ((1.0, 0.0, 0.8), "frequent_promotion_buyers"),
        ((-0.7, 0.2, 0.2), "rare_buyers"),
        ((0.1, 0.2, -0.1), "typical_buyers"),
        # It would be near enough to typical, but for one great difference; and no name says that difference.
        ((0.0, -0.7, 0.0), "other_buyers_1"),
        # Nearer to the place of frequent_promotion_buyers than to any other, but promotions are not what it does.
        ((0.5, 0.0, 0.2), "frequent_buyers"),
    ],
)
def test_a_name_says_what_sets_a_cluster_apart(centre: tuple[float, ...], name: str) -> None:
    assert give_names(at(centre), CATALOGUE, LIMITS) == [name]


def test_no_two_clusters_share_a_name_and_the_nearer_one_has_it() -> None:
    names = give_names(at((2.0, 0, 0), (1.1, 0, 0), (1.0, 0.5, 0)), CATALOGUE, LIMITS)
    assert names[1] == "frequent_buyers"
    assert len(set(names)) == 3


def test_names_do_not_depend_on_the_order_of_the_catalogue() -> None:
    clusters = at((1.2, 0.3, 0.1), (-0.9, 0.1, 0.2), (0.7, 0.1, 1.4), (0.2, 0.9, 0.1))
    orders = itertools.permutations(CATALOGUE[:6])
    assert len({tuple(give_names(clusters, (*order, *CATALOGUE[6:]), LIMITS)) for order in orders}) == 1


def test_what_is_written_down_is_read_back() -> None:
    found = find_clusters(FOUR, FEATURES, LIMITS)
    names = give_names(found, CATALOGUE, LIMITS)
    parameters = to_parameters(found, names)
    assert all(np.isfinite(value) for value in parameters.values())
    clusters, names_again = from_parameters(parameters, FEATURES)
    assert to_parameters(clusters, names_again) == parameters


def seed(name: str) -> list[dict[str, str]]:
    with (PROJECT / "seeds" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_catalogue_of_names_and_the_definitions_are_the_same_names() -> None:
    names = [row["segment"] for row in seed("behaviour_cluster_names")]
    defined = [row["segment"] for row in seed("segment_definitions") if row["segmentation"] == "behaviour_cluster"]
    assert sorted(defined) == sorted([*names, "none", "unknown"])


def test_there_are_as_many_numbered_names_as_there_can_be_clusters() -> None:
    """However odd the clusters are, each gets a name, and scoring has room for it."""
    macro = (PROJECT / "macros" / "behaviour_cluster.sql").read_text(encoding="utf-8")
    slots = int(macro.split("macro cluster_slots() -%}")[1].split("return(")[1].split(")")[0])
    numbered = [row for row in seed("behaviour_cluster_names") if row["kind"] == NUMBERED]
    most = next(int(row["value"]) for row in seed("thresholds") if row["name"] == "behaviour_cluster_maximum_clusters")
    assert most <= len(numbered) == slots


def test_the_features_are_listed_alike_everywhere() -> None:
    macro = (PROJECT / "macros" / "behaviour_cluster.sql").read_text(encoding="utf-8")
    listed = re.findall(r"'(\w+)'", macro.split("macro behaviour_features() -%}")[1].split("endmacro")[0])
    assert tuple(listed) == behaviour_clusters.FEATURES
    assert [row["feature"] for row in seed("behaviour_cluster_features")] == listed


def test_every_name_describes_a_place_of_its_own_that_is_plain_enough() -> None:
    features = [row["feature"] for row in seed("behaviour_cluster_features")]
    plain = [row for row in seed("behaviour_cluster_names") if row["kind"] == PLAIN]
    places = [tuple(float(row[feature] or 0) for feature in features) for row in plain]
    assert len(set(places)) == len(places)
    least = next(float(row["value"]) for row in seed("thresholds") if row["name"] == "behaviour_cluster_minimum_deviation")
    assert all(place == 0 or abs(place) > least for places_of_one in places for place in places_of_one)
