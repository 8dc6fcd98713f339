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
