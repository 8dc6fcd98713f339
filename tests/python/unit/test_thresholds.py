"""A threshold that a model asks for and the seed does not have would compile, be null, and decide nothing. So the two are compared here."""

import csv
import re
from pathlib import Path

from orchestration.transform.rule_tables import thresholds_asked_for

PROJECT = Path(__file__).parents[3]


def thresholds_of_the_seed() -> set[str]:
    with (PROJECT / "seeds" / "thresholds.csv").open(newline="", encoding="utf-8") as file:
        return {row["name"] for row in csv.DictReader(file)}


def test_every_threshold_asked_for_is_in_the_seed() -> None:
    assert thresholds_asked_for().keys() - thresholds_of_the_seed() == set()


def test_thresholds_are_found_wherever_they_are_asked_for() -> None:
    asked = thresholds_asked_for()
    for name in (
        "loyalty_lost_minimum_days",  # a model
        "campaign_response_recent_days",  # a macro
        "lifetime_value_minimum_repeat_buyers",  # a fit
        "lift_minimum_customers",  # a suite
        "minimum_group_size",  # the page
    ):
        assert name in asked


def names_in_code() -> set[str]:
    """Every quoted word of the SQL and of the Python that reads thresholds itself (fits, the page)."""
    sql = [path for folder in ("models", "macros", "tests/dbt") for path in (PROJECT / folder).rglob("*.sql")]
    texts = [path.read_text(encoding="utf-8") for path in (*sql, *(PROJECT / "orchestration").rglob("*.py"))]
    return {name for text in texts for name in re.findall(r"""['"](\w+)['"]""", text)}


def test_every_threshold_of_the_seed_is_asked_for() -> None:
    assert thresholds_of_the_seed() - names_in_code() == set()
