"""The comparison with planted truth: who is asked, who is placed, what is right, what a guess gets."""

from pathlib import Path

import duckdb
import pytest

from benchmarks.recovery import QUESTIONS, Question, measure, open_both
from orchestration.errors import UnusableInput


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A source with the truth about six customers and a home where five of them are published."""
    source, home = tmp_path / "it's [a] source", tmp_path / "home"
    (source / "truth").mkdir(parents=True)
    (home / "serving").mkdir(parents=True)
    with duckdb.connect(str(home / "serving" / "segments.duckdb")) as connection:
        connection.execute("create schema published")
        connection.execute(
            """create table published.fruit_segments as select * from (values
                ('a', 'apple'), ('b', 'apple'), ('c', 'pear_small'), ('d', 'unknown'), ('e', 'apple')) as t (customer_id, segment)"""
        )
        connection.execute(
            "create table truth as select * from (values ('a', 'apple'), ('b', 'pear'), ('c', 'pear')) as t (customer_id, fruit)"
        )
        connection.execute("insert into truth values ('d', 'pear'), ('e', null), ('f', 'apple')")
        connection.sql("from truth").write_parquet(str(source / "truth" / "customer_truth.parquet"))
    return source, home


def test_only_the_placed_are_judged_and_the_guess_is_about_them(folders: tuple[Path, Path]) -> None:
    with open_both(*folders) as connection:
        recovery = measure(connection, Question("fruit", "fruit_segments", "truth.fruit", codes={"pear": ("pear_small", "pear_big")}))
    # e has no truth, f is not published, d is not placed; b is wrong, and two of the three placed are pears.
    assert (recovery.customers, recovery.placed) == (4, 3)
    assert recovery.right == pytest.approx(2 / 3)
    assert recovery.majority == pytest.approx(2 / 3)
    assert recovery.lift == pytest.approx(1)


def test_nobody_placed_is_no_share(folders: tuple[Path, Path]) -> None:
    with open_both(*folders) as connection:
        recovery = measure(connection, Question("fruit", "fruit_segments", "truth.fruit", asked="published.segment = 'unknown'"))
    assert (recovery.customers, recovery.placed, recovery.right, recovery.majority, recovery.lift) == (1, 0, None, None, None)


def test_a_folder_without_truth_is_named(folders: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="no planted truth"):
        open_both(tmp_path, folders[1])


def test_questions_have_names_of_their_own() -> None:
    assert len({question.name for question in QUESTIONS}) == len(QUESTIONS)
