"""What audiences may name is what there is: every feature of the profiles, columns that exist, one file for every name of the list."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from orchestration.audiences.definitions import AUDIENCES_DIR, PROTECTED_FEATURES, project_catalogue
from orchestration.audiences.macros import Macros

PROJECT = Path(__file__).parents[3]
TYPES = {"string": "text", "boolean": "boolean", "date": "date"}
# Some YAML files are long, and the loader written in C reads them ten times as fast.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506 - one of the two safe loaders


def macros() -> Macros:
    return Macros({"as_of_date": "2026-01-01", "business_timezone": "UTC"}, lambda model: model)


@cache
def profiles() -> dict[str, str]:
    """Columns of the profiles that are features, and their types."""
    columns = next(
        model["columns"]
        for model in read_yaml(PROJECT / "models" / "published" / "_models.yml")["models"]
        if model["name"] == "customer_profiles"
    )
    named = {column["name"]: TYPES.get(column["data_type"], "number") for column in columns}
    return {name: kind for name, kind in named.items() if name not in ("customer_id", "as_of_date") and not name.endswith("_segment")}


@cache
def models() -> dict[str, set[str]]:
    """The columns that the YAML of each model names."""
    documents = [read_yaml(path) for path in (PROJECT / "models").rglob("*.yml")]
    entries = [entry for document in documents for entry in document.get("models", [])]
    return {entry["name"]: {column["name"] for column in entry["columns"]} for entry in entries}


def described(model: str) -> set[str]:
    return models()[model]


def test_every_feature_of_the_profiles_may_be_named_by_its_type() -> None:
    features = dict(project_catalogue().features)
    assert features == profiles()
    assert set(features) >= PROTECTED_FEATURES


def test_fields_of_events_are_columns_of_their_tables() -> None:
    tables = macros().call("audience_tables")
    for name, event in macros().call("audience_events").items():
        table = tables[event["table"]]
        columns = described(table["model"]) | set(table.get("lookup", {}).get("columns", []))
        named = {column for column, _ in event["fields"].values()} | {event["at"], event["date"], table.get("customer", "customer_id")}
        assert named <= columns, name


def test_the_list_of_audiences_is_the_list_of_files() -> None:
    listed = list(macros().call("audiences"))
    assert listed == sorted(path.stem for path in AUDIENCES_DIR.glob("*.sql"))


def test_no_identifier_may_be_named() -> None:
    raw = read_yaml(PROJECT / "models" / "staging" / "_sources.yml")
    customers = next(table for source in raw["sources"] for table in source["tables"] if table["name"] == "customers")
    identifiers = {c["name"] for c in customers["columns"] if c.get("config", {}).get("meta", {}).get("classification") == "identifier"}
    assert identifiers
    assert not identifiers & set(project_catalogue().features)


def test_every_shipped_expression_is_the_same_on_spark_but_for_dispatched_macros() -> None:
    # What Spark does not know by these names must have gone through a dispatched macro.
    definitions = {path.stem: path.read_text(encoding="utf-8").split("%}", 1)[1].split("{%", 1)[0] for path in AUDIENCES_DIR.glob("*.sql")}
    spark = Macros({"as_of_date": "2026-01-01", "business_timezone": "UTC"}, lambda model: model, engine="spark", definitions=definitions)
    facts = spark.call("audience_facts_query", spark.call("audience_plan", spark.call("audience_definitions")))
    assert not {name for name in ("epoch_us(", "timezone(", "::", "list_", "strftime(") if name in facts}


def plan_of(*conditions: str) -> Any:
    """What audience_facts computes for audiences of these conditions."""
    compiler = Macros(
        {"as_of_date": "2026-01-01", "business_timezone": "UTC"},
        lambda model: model,
        definitions={f"audience_{number}": f"members: {condition}" for number, condition in enumerate(conditions)},
    )
    return compiler.call("audience_plan", compiler.call("audience_definitions"))


def read_from(plan: Any) -> dict[str, dict[str, str]]:
    """The first days of each pass; nothing for one that reads every row."""
    return {
        name: {} if counted["is_whole"] else {day: str(first) for day, first in counted["starts"].items()}
        for name, counted in plan["passes"].items()
    }


def test_windows_of_about_one_length_share_a_pass_over_their_own_days() -> None:
    plan = plan_of(
        "{done: purchase, last: 3 days}",
        "{done: purchase, last: 30 days}",
        "{done: purchase, last: 60 days}",
        "{done: purchase, last: 1 year, sum: {of: amount, at_least: 1}}",
        "{done: purchase, last: 2 years}",
        "{done: message_opened, last: 2 days}",
        "{done: message_clicked, last: 1 week}",
    )
    assert read_from(plan) == {
        "orders_month": {"order_date": "2025-12-02"},
        "orders_quarter": {"order_date": "2025-11-02"},
        "orders_long": {"order_date": "2024-01-01"},
        "messages_month": {"opened_date": "2025-12-30", "clicked_date": "2025-12-25"},
    }
    assert len(plan["passes"]["orders_month"]["columns"]) == 2


def test_what_has_no_window_reads_every_row_with_all_the_long_windows_in_the_same_pass() -> None:
    for order in (1, -1):
        plan = plan_of(*["{done: purchase, last: 1 year}", "{done: purchase}", "{done: purchase, last: 2 years}"][::order])
        assert read_from(plan) == {"orders_long": {}}
        assert len(plan["passes"]["orders_long"]["columns"]) == 3


def test_a_gap_is_looked_up_in_a_pass_that_reads_all_events_for_others() -> None:
    gap = "{done: purchase, came_back_after: 90 days, last: 30 days}"
    for others in ([], ["{done: purchase, last: 2 years}"]):
        (comeback,) = plan_of(gap, *others)["comebacks"].values()
        assert "first" not in comeback
    plan = plan_of(gap, "{done: purchase, where: {channel: web}}")
    (comeback,) = plan["comebacks"].values()
    assert comeback["first"]["relation"] == "orders_long"
    assert list(plan["inner"]) == [comeback["first"]["column"]]
    # Where somebody asks for it, it is a fact as well.
    assert not plan_of(gap, "{done: purchase, first_time: {last: 60 days}}")["inner"]


def test_a_side_of_the_holdout_is_as_large_as_it_should_be() -> None:
    import duckdb

    limit = macros().call("audience_holdout_limit", 10)
    condition = macros().call("is_in_holdout", "'an audience'", "'C' || range", f"'{limit}'")
    (share,) = duckdb.sql(f"select avg(case when {condition} then 1.0 else 0.0 end) from range(200000)").fetchall()[0]
    # Five standard deviations of 200,000 draws of one in ten.
    assert abs(share - 0.1) < 5 * (0.1 * 0.9 / 200_000) ** 0.5
    assert macros().call("audience_holdout_limit", 0) == "00000000"
    assert macros().call("audience_holdout_limit", 50) == "80000000"
