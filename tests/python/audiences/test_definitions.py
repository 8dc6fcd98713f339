"""Wrong definitions: each gives one sentence with its file and line, says what is valid, and nothing runs."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration.audiences import definitions as module
from orchestration.audiences.definitions import AUDIENCES_DIR, LOWER_CASE_FIELDS, Catalogue, check_definitions, project_catalogue
from orchestration.settings import PROJECT_DIR

HEADER = """\
name: Somebody
description: Who they are
owner: customer relations
last_reviewed: 2026-01-15
channel: email
"""
GOOD = HEADER + "members:\n  all:\n    - {feature: country, is: DE}\n    - done: purchase\n      last: 90 days\n"


def write(folder: Path, name: str, definition: str) -> Path:
    """A file as an author writes it; the definition begins on its second line."""
    path = folder / f"{name}.sql"
    path.write_text("{%- set definition %}\n" + definition + "{% endset -%}\n\n{{ audience(definition) }}\n", encoding="utf-8")
    return path


def catalogue(*audiences: str) -> Catalogue:
    ours = project_catalogue()
    return Catalogue(ours.features, ours.events, ours.segments, audiences)


def mistakes(folder: Path) -> list[str]:
    """What is said about the files of a folder, all of them listed."""
    _, found = check_definitions(folder, catalogue(*(path.stem for path in folder.glob("*.sql"))))
    return [str(mistake).removeprefix(f"{folder}/") for mistake in found]


def test_a_good_definition_has_no_mistakes(tmp_path: Path) -> None:
    write(tmp_path, "good", GOOD)
    assert mistakes(tmp_path) == []


def test_the_shipped_definitions_have_no_mistakes() -> None:
    found, wrong = check_definitions(AUDIENCES_DIR)
    assert wrong == []
    assert found


# The condition under `members:`, which is line 8; then the line that is named and what is said of it.
WRONG = [
    ("{feature: contry, is: DE}", 8, r"there is no feature 'contry': did you mean 'country'\?"),
    ("{segment: value_trnd, is: rising}", 8, r"there is no segmentation 'value_trnd': did you mean 'value_trend'\?"),
    ("{segment: value_trend, is: risin}", 8, r"value_trend has no segment 'risin': did you mean 'rising'\?"),
    ("{audience: wrnog}", 8, r"there is no audience 'wrnog': "),
    ("{done: purchse}", 8, r"there is no event 'purchse': did you mean 'purchase'\?"),
    ("{done: item_purchase, where: {categry: coffee}}", 8, r"item_purchase has no field 'categry': did you mean 'category'\?"),
    ("{feature: order_count, at_least: three}", 8, r"order_count is a number, and the text 'three' is none"),
    ("{feature: country, is: 12}", 8, r"country is a text, and the number 12 is none: write it in quotes, '12'"),
    ("{feature: country, is: NO}", 8, r"country is a text, and the truth value false is none: write it in quotes, 'NO'"),
    ("{feature: country, in: [DE, 012]}", 8, r"country is a text, and the number 10 is none: write it in quotes, '012'"),
    ("{feature: country, in: []}", 8, r"'in' must be a list of values, like \[a, b\], and here is none"),
    ("{done: purchase, where: {}}", 8, r"'where' must be fields with what is asked of them, and here is none"),
    ("{feature: net_amount, above: 10, below: 5}", 8, r"nobody can be met: net_amount would have to be above 10 and below 5"),
    ("{feature: net_amount, at_least: 5, below: 5}", 8, r"nobody can be met: net_amount would have to be at_least 5 and below 5"),
    ("{feature: net_amount, between: [1, 5], above: 7}", 8, r"nobody can be met: net_amount would have to be above 7 and between 5"),
    ("{done: purchase, count: {at_most: -1}}", 8, r"nobody can be met: the count would have to be 0 or more and at_most -1"),
    ("{done: purchase, count: {below: 0}}", 8, r"nobody can be met: the count would have to be 0 or more and below 0"),
    ("{done: web_event, where: {name: [Cart_Add]}}", 8, r"name is always in lower case, and 'Cart_Add' is not: write 'cart_add'"),
    ("{done: purchase, where: {channel: Web}}", 8, r"channel is always in lower case, and 'Web' is not: write 'web'"),
    ("{done: purchase, where: {channel: {is_not: Web}}}", 8, r"channel is always in lower case, and 'Web' is not: write 'web'"),
    ("{feature: country, above: DE}", 8, r"'above' is for numbers and dates, and country is a text"),
    ("{feature: is_member, is: 'yes'}", 8, r"is_member is a boolean, and the text 'yes' is none"),
    ("{done: purchase, last: 90 dayz}", 8, r"'last' must be a duration like '90 days' or '36 hours', not the text '90 dayz'"),
    ("{done: purchase, last: 90}", 8, r"'last' must be a duration like '90 days' or '36 hours', not the number 90"),
    ("{done: purchase, from: 10 days ago, until: 30 days ago}", 8, r"the window ends \(30 days ago\) before it begins \(10 days ago\)"),
    ("{done: purchase, since: 2025-12-01, before: 2025-11-01}", 8, r"the window ends .* before it begins"),
    ("{done: purchase, since: '2025-12-01'}", 8, r"'since' must be a day like 2025-12-31, without quotes, not the text '2025-12-01'"),
    ("{done: purchase, last: 3 days, since: 2025-12-01}", 8, r"'last' and 'since' are two windows: write one"),
    ("{done: purchase, lst: 3 days}", 8, r"the key 'lst' is not known here: did you mean 'last'\?"),
    ('{feature: country, is: "DE\'; drop table customers; --"}', 8, r"looks like SQL: a value is compared, never run"),
    ("{feature: net_amount, at_least: '500) or (1=1'}", 8, r"net_amount is a number, and the text '500\) or \(1=1' is none"),
    ("{feature: country, is: \"{{ var('x') }}\"}", 8, r"a definition is data: templates like \{\{ … \}\} have no place in it"),
    ("{feature: country}", 7, r"nothing is asked: add one of is, is_not, in"),
    (
        "{done: purchase, count: {at_least: 2}, sum: {of: amount, at_least: 5}}",
        8,
        r"a condition has one measure, and here are count and sum",
    ),
    ("{done: purchase, sum: {of: store, at_least: 5}}", 8, r"'store' is a text, and here a number is needed"),
    ("{done: purchase, sum: {at_least: 5}}", 8, r"'sum' lacks 'of'"),
    ("{feature: net_amount, top_percent: 110}", 8, r"'top_percent' must be a percentage above 0, at most 100, not the number 110"),
    ("{feature: country, top: 10}", 8, r"'top' is for numbers and dates, and country is a text"),
    ("{feature: net_amount, top: 10, within: order_count}", 8, r"'order_count' is a number: a group is a text, like home_store_id"),
    ("{sequence: [{done: purchase}]}", 8, r"'sequence' must be a list of two to six events, and here is one"),
    ("{done: purchase, came_back_after: 3 months}", 8, r"'came_back_after' must be a duration of seconds, .* not the text '3 months'"),
    (
        "{done: purchase, local_time: 18-22}",
        8,
        r"'local_time' must be a span of the clock in quotes, like '18:00-22:00', not the text '18-22'",
    ),
    ("{done: purchase, weekdays: [sonday]}", 8, r"must be a weekday like saturday, not the text 'sonday'"),
    ("{any: []}", 8, r"'any' must be a list of conditions, and here is none"),
    ("{every: [{feature: country, is: DE}]}", 8, r"'every' begins no condition: "),
    ("{feature: net_amount, between: [10, 5]}", 8, r"'between' must name the lower end first, not 10 and 5"),
    ("{feature: recency_days, last: 3 days}", 8, r"'last' is for dates, and recency_days is a number"),
    ("{feature: last_order_date, last: 3 hours}", 8, r"last_order_date is a day: 'last' takes days"),
    (
        "{feature: gender, is: female}",
        7,
        r"feature gender may decide an audience only with protected_attributes: reason, owner and review_on",
    ),
    ("{all: [{feature: country, is: DE, is: FR}]}", 8, r"the key 'is' is there twice"),
    ("{all: [}", 8, r"the definition is not readable as YAML: "),
]


@pytest.mark.parametrize(("condition", "line", "expected"), WRONG)
def test_a_wrong_condition_is_told_in_one_sentence(tmp_path: Path, condition: str, line: int, expected: str) -> None:
    write(tmp_path, "wrong", HEADER + f"members:\n  {condition}\n")
    told = mistakes(tmp_path)
    assert len(told) == 1, told
    assert re.match(rf"wrong\.sql:{line}: .*{expected}", told[0]), told[0]
    assert "\n" not in told[0]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (GOOD.replace("owner:", "ownr:"), r"wrong\.sql:(2|4): .*'?(ownr|owner)'"),
        (
            GOOD.replace("channel: email", "channel: pigeon"),
            r"wrong\.sql:6: 'channel' must be email, sms, push or post, not the text 'pigeon'",
        ),
        (GOOD + "holdout_percent: 80\n", r"wrong\.sql:12: 'holdout_percent' must be a percentage from 0 to 50, not the number 80"),
        (GOOD + "priority: {group: retention}\n", r"wrong\.sql:12: 'priority' lacks 'rank'"),
        ("- a list\n", r"wrong\.sql:2: the definition must be a mapping"),
    ],
)
def test_a_wrong_header_is_told(tmp_path: Path, definition: str, expected: str) -> None:
    write(tmp_path, "wrong", definition)
    assert re.match(expected, mistakes(tmp_path)[0]), mistakes(tmp_path)


@pytest.mark.parametrize(
    "condition",
    [
        "{feature: net_amount, at_least: 5, at_most: 5}",
        "{feature: net_amount, above: 5, below: 10}",
        "{done: purchase, count: {at_most: 0}}",
        "{done: purchase, count: {below: 1}}",
        "{done: purchase, sum: {of: amount, below: 0}}",
        "{done: item_purchase, where: {category: [Coffee]}}",
    ],
)
def test_what_somebody_can_meet_is_not_refused(tmp_path: Path, condition: str) -> None:
    write(tmp_path, "good", HEADER + f"members:\n  {condition}\n")
    assert mistakes(tmp_path) == []


def test_the_fields_in_lower_case_are_those_that_staging_writes_so() -> None:
    from orchestration.audiences.macros import Macros

    models = [path.read_text(encoding="utf-8") for path in (PROJECT_DIR / "models" / "staging" / "base").glob("*.sql")]
    codes = {name for text in models for name in re.findall(r"clean_code\('(\w+)'\)", text)}
    events = Macros({}, lambda model: model, folder=PROJECT_DIR / "macros").call("audience_events")
    fields = {field for event in events.values() for field, (column, _) in event["fields"].items() if column in codes}
    assert fields == LOWER_CASE_FIELDS


def test_a_circle_is_told_with_its_path(tmp_path: Path) -> None:
    for name, other in (("one", "two"), ("two", "three"), ("three", "one")):
        write(tmp_path, name, HEADER + f"members:\n  all:\n    - not: {{audience: {other}}}\n")
    (told,) = mistakes(tmp_path)
    assert re.search(
        r"\.sql:9: audiences name each other in a circle: (one > two > three > one|three > one > two > three|two > three > one > two)", told
    )


def test_two_audiences_of_a_group_need_two_ranks(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path, name, GOOD + "priority: {group: retention, rank: 1}\n")
    assert mistakes(tmp_path) == ["two.sql:12: one has rank 1 of the group 'retention' as well: give each its own"]


def test_a_file_with_sql_of_its_own_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "wrong", GOOD)
    path.write_text(path.read_text(encoding="utf-8") + "where 1 = 1\n", encoding="utf-8")
    (told,) = mistakes(tmp_path)
    assert told.startswith("wrong.sql:1: the file must hold ")


def test_a_file_that_is_not_listed_is_told(tmp_path: Path) -> None:
    write(tmp_path, "new_one", GOOD)
    _, found = check_definitions(tmp_path, catalogue())
    assert [mistake.text for mistake in found] == [
        "the audience 'new_one' is not in the list of macros/audiences/audiences.sql: add it there"
    ]


@pytest.mark.parametrize("verb", [["nightly"], ["check"]])
def test_the_command_line_refuses_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: list[str]) -> None:
    from orchestration.cli import main

    (tmp_path / "audiences").mkdir()
    write(tmp_path / "audiences", "wrong", HEADER + "members: {feature: contry, is: DE}\n")
    monkeypatch.setattr(module, "AUDIENCES_DIR", tmp_path / "audiences")
    source = tmp_path / "source"
    source.mkdir()
    (source / "customers.csv").write_text("customer_id\nann\n", encoding="utf-8")
    (source / "transactions.csv").write_text("order_id,line_id,customer_id,ordered_at,amount\n1,1,ann,2025-01-01,1\n", encoding="utf-8")
    result = CliRunner().invoke(main, [*verb, "--source", str(source), "--home", str(tmp_path / "home")])
    assert result.exit_code == 2, result.output
    assert "wrong.sql:7: there is no feature 'contry': did you mean 'country'?" in result.output
    assert not (tmp_path / "home").exists()
