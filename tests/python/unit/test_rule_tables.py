"""Wrong rule tables: each mistake gives one sentence with its file and line, by `segments check` as by a night, which does not begin."""

import csv
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration import checkup, night
from orchestration.mistakes import refuse
from orchestration.settings import PROJECT_DIR
from orchestration.transform.rule_tables import check_rule_tables

FIRST_RULE = "10,4,5,4,5,4,5,champions,customer analytics,Bought lately and often and for much,2026-01-15"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What a check reads of the project, to be spoiled."""
    folder = tmp_path / "project"
    for part in ("seeds", "models", "macros", "tests/dbt", "orchestration"):
        shutil.copytree(PROJECT_DIR / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "static"))
    return folder


def spoil(project: Path, table: str, line: int, text: str | None) -> None:
    """Replace a line of a rule table, or take it out."""
    path = project / "seeds" / f"{table}.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[line - 1 : line] = [] if text is None else [text]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def line_of(project: Path, table: str, beginning: str) -> int:
    lines = (project / "seeds" / f"{table}.csv").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(beginning))


def test_the_shipped_rule_tables_have_no_mistakes() -> None:
    assert check_rule_tables() == []


def test_a_threshold_that_is_asked_for_and_missing_is_named_with_who_asks(project: Path) -> None:
    spoil(project, "thresholds", line_of(project, "thresholds", "loyalty_lost_minimum_days,"), None)
    (told,) = check_rule_tables(project)
    assert str(told) == (
        "seeds/thresholds.csv:1: no row has the name loyalty_lost_minimum_days, "
        "which models/segments/loyalty_status_segments.sql asks for: add it"
    )


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (FIRST_RULE.replace("10,4,5,", "10,4,,"), "recency_max is empty, and without it the row decides nothing: fill it in"),
        (FIRST_RULE.replace("10,4,5,", "10,4,high,"), "recency_max is 'high', which is no integer: correct it"),
        (
            FIRST_RULE.replace("lately and", "lately, and"),
            "12 values where the header names 11 columns: put a value that holds a comma in quotes",
        ),
        (FIRST_RULE.replace("2026-01-15", "soon"), "last_reviewed is 'soon', which is no date: correct it"),
        (FIRST_RULE.replace("10,4,5,", "10,4,"), "10 values where the header names 11 columns: leave no comma out"),
    ],
)
def test_a_wrong_row_is_told_by_its_line_in_the_file(project: Path, wrong: str, told: str) -> None:
    line = line_of(project, "rfm_rules", FIRST_RULE)
    spoil(project, "rfm_rules", line, wrong)
    assert [str(mistake) for mistake in check_rule_tables(project)] == [f"seeds/rfm_rules.csv:{line}: {told}"]


@pytest.mark.parametrize(
    ("table", "row", "told"),
    [
        ("thresholds", "kpi_period_days,again,1,days,me,why,2026-01-15", "name kpi_period_days is in line {first} already"),
        ("rfm_rules", FIRST_RULE.replace("10,", "010,", 1), "priority 10 is in line {first} already"),  # the same number
        ("rfm_fixed_cut_points", "order_count,1,5,me,why,2026-01-15", "measure order_count, cut 1 is in line {first} already"),
        ("programme_non_members", "none,me,why,2026-01-15", "value none is in line {first} already"),
    ],
)
def test_a_key_that_is_there_already_is_told_with_both_lines(project: Path, table: str, row: str, told: str) -> None:
    path = project / "seeds" / f"{table}.csv"
    text = path.read_text(encoding="utf-8")
    first = line_of(project, table, ",".join(row.split(",")[: 2 if table == "rfm_fixed_cut_points" else 1]).removeprefix("0") + ",")
    path.write_text(text + row + "\n", encoding="utf-8")
    last = text.count("\n") + 1
    assert [str(mistake) for mistake in check_rule_tables(project)] == [
        f"seeds/{table}.csv:{last}: {told.format(first=first)}, and one row may have it: remove or correct one of them"
    ]


@pytest.mark.parametrize(
    ("table", "row", "told"),
    [
        (
            "rfm_fixed_cut_points",
            "spend,1,5,me,why,2026-01-15",
            "measure is 'spend', and must be one of recency_days, order_count, monetary_value: correct it",
        ),
        ("rfm_fixed_cut_points", "order_count,5,5,me,why,2026-01-15", "cut is '5', and must be one of 1, 2, 3, 4: correct it"),
        (
            "web_event_meanings",
            "hover,looked,me,why,2026-01-15",
            "meaning is 'looked', and must be one of visit, product_view, cart, purchase: correct it",
        ),
    ],
)
def test_a_value_that_dbt_does_not_accept_is_told(project: Path, table: str, row: str, told: str) -> None:
    path = project / "seeds" / f"{table}.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + row + "\n", encoding="utf-8")
    assert [str(mistake) for mistake in check_rule_tables(project)] == [f"seeds/{table}.csv:{text.count(chr(10)) + 1}: {told}"]


def test_an_accepted_value_in_another_spelling_of_its_number_is_accepted(project: Path) -> None:
    path = project / "seeds" / "rfm_fixed_cut_points.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("order_count,1,", "order_count,01,"), encoding="utf-8")
    assert check_rule_tables(project) == []


def test_a_blank_in_a_key_is_told_once_however_often_it_is_there(project: Path) -> None:
    path = project / "seeds" / "programme_non_members.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + ",me,why,2026-01-15\n" * 2, encoding="utf-8")
    last = text.count("\n") + 1
    assert [(mistake.line, mistake.text.split(",")[0]) for mistake in check_rule_tables(project)] == [
        (last, "value is empty"),
        (last + 1, "value is empty"),
    ]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("thresholds", "value"),
        ("rfm_rules", "monetary_min"),
        ("demographic_rules", "age_to"),
        ("demographic_rules", "household_type"),
        ("age_groups", "age_to"),
        ("socio_economic_rules", "score_to"),
        ("socio_economic_income_scores", "income_to"),
        ("attribute_values", "code"),
        ("survey_traits", "trait_group"),
        ("ticket_topic_needs", "need"),
        ("segment_definitions", "expected_share_max"),
        ("review_kpis", "kpi"),
    ],
)
def test_a_blank_that_would_silence_a_row_is_told(project: Path, table: str, column: str) -> None:
    path = project / "seeds" / f"{table}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        header, first, *_ = csv.reader(file)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, ["" if name == column else value for name, value in zip(header, first, strict=True)]])
    wrong = [mistake for mistake in check_rule_tables(project) if "no row has the name" not in mistake.text]
    assert [str(mistake) for mistake in wrong] == [
        f"seeds/{table}.csv:2: {column} is empty, and without it the row decides nothing: fill it in"
    ]


def test_lines_are_counted_as_an_editor_counts_them(project: Path) -> None:
    (project / "seeds" / "programme_non_members.csv").write_text(
        'value,owner,reason,last_reviewed\nnone,crm,"two\nlines",2026-01-15\n\nno,crm,,2026-01-15\n', encoding="utf-8"
    )
    assert [mistake.line for mistake in check_rule_tables(project)] == [5]


def test_other_columns_and_a_missing_file_are_told(project: Path) -> None:
    spoil(project, "programme_non_members", 1, "value,owner,why,last_reviewed")
    (project / "seeds" / "age_groups.csv").unlink()
    assert [str(mistake) for mistake in check_rule_tables(project)] == [
        "seeds/age_groups.csv:1: the file is missing, and a YAML file of seeds/ describes it: bring it back",
        "seeds/programme_non_members.csv:1: the columns are value, owner, why, last_reviewed, "
        "and must be value, owner, reason, last_reviewed: write these",
    ]


@pytest.mark.parametrize("verb", ["nightly", "check"])
def test_the_command_line_refuses_before_anything_is_written(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    from orchestration.cli import main

    spoil(project, "thresholds", line_of(project, "thresholds", "loyalty_lost_minimum_days,"), None)
    monkeypatch.setattr(night, "require_sound_rule_tables", lambda: refuse(check_rule_tables(project)))
    monkeypatch.setattr(checkup, "check_rule_tables", lambda: check_rule_tables(project))
    source = tmp_path / "source"
    source.mkdir()
    (source / "customers.csv").write_text("customer_id\nann\n", encoding="utf-8")
    (source / "transactions.csv").write_text("order_id,line_id,customer_id,ordered_at,amount\n1,1,ann,2025-01-01,1\n", encoding="utf-8")
    result = CliRunner().invoke(main, [verb, "--source", str(source), "--home", str(tmp_path / "home")])
    assert result.exit_code == 2, result.output
    assert "no row has the name loyalty_lost_minimum_days" in result.output
    assert not (tmp_path / "home").exists()
