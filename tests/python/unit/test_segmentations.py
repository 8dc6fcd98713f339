"""A segmentation is named in several places, and each of them must know all: the list, the models, the definitions, the profiles."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[3]


def listed() -> list[str]:
    """The list that history and profiles are built from."""
    return re.findall(r"^ +'(\w+)',$", (PROJECT / "macros" / "segmentations.sql").read_text(encoding="utf-8"), flags=re.MULTILINE)


def modelled() -> list[str]:
    return [path.name.removesuffix("_segments.sql") for path in (PROJECT / "models" / "segments").rglob("*_segments.sql")]


def defined() -> list[str]:
    with (PROJECT / "seeds" / "segment_definitions.csv").open(newline="", encoding="utf-8") as file:
        return [row["segmentation"] for row in csv.DictReader(file)]


def in_profiles() -> list[str]:
    models = yaml.safe_load((PROJECT / "models" / "published" / "_models.yml").read_text(encoding="utf-8"))["models"]
    columns = next(model["columns"] for model in models if model["name"] == "customer_profiles")
    return [column["name"].removesuffix("_segment") for column in columns if column["name"].endswith("_segment")]


def as_dimensions_of_metrics() -> list[str]:
    models = yaml.safe_load((PROJECT / "models" / "metrics" / "_metrics.yml").read_text(encoding="utf-8"))["semantic_models"]
    dimensions = next(model["dimensions"] for model in models if model["name"] == "customer_segments")
    return [dimension["name"].removesuffix("_segment") for dimension in dimensions]


def test_no_segmentation_is_listed_twice() -> None:
    assert len(listed()) == len(set(listed()))


@pytest.mark.parametrize("place", [modelled, defined, as_dimensions_of_metrics])
def test_every_place_knows_every_segmentation(place: Callable[[], list[str]]) -> None:
    assert set(place()) == set(listed())


def test_profiles_have_one_column_each_in_the_order_of_the_list() -> None:
    assert in_profiles() == listed(), "the contract of customer_profiles (models/published/_models.yml) needs one line per segmentation"
