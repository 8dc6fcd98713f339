"""The serving database and Parquet as docs/bi.md opens them; the database also with the oldest client it is written for."""

import subprocess
from pathlib import Path

import duckdb
import pytest

from orchestration.publishing.serving import PublishedTable, publish_build
from tests.python.bi.documentation import blocks
from tests.python.bi.environments import clean_environment, make_environment
from tests.python.bi.values import TYPES
from tests.python.faults.toy_builds import TABLES, audited

# Every value as text: clients differ in the Python objects that they make of them.
QUESTIONS = (
    "select columns(* exclude list)::varchar, to_json(list)::varchar from published.types",
    "select columns(*)::varchar from published.rfm_segments order by customer_id",
    "select segment, sum(customers)::varchar from published.segment_sizes group by segment order by segment",
    "select table_name, comment from duckdb_tables() order by table_name",
    "select column_name, comment from duckdb_columns() where table_name = 'rfm_segments' order by column_index",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home named as on the page, in which a build is published."""
    folder = tmp_path_factory.mktemp("clients")
    home = folder / "warehouse"
    build, database = audited(home, "first")
    with duckdb.connect(str(database)) as connection:
        connection.execute(TYPES.format(table="reporting.types"))
        connection.execute(
            "create table reporting.segment_sizes as "
            "select 'rfm' as segmentation, 'segment_' || n as segment, n * 11 as customers from range(5) as numbers(n)"
        )
    more = [PublishedTable(name, "reporting", name) for name in ("types", "segment_sizes")]
    publish_build(home, build.id, database, [*TABLES, *more])
    return folder


def ask(python: Path, folder: Path, code: str) -> str:
    """What a program prints in that environment."""
    ended = subprocess.run([str(python), "-c", code], cwd=folder, env=clean_environment(), capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def answers(folder: Path) -> list[list[tuple[object, ...]]]:
    with duckdb.connect(str(folder / "warehouse" / "serving" / "segments.duckdb"), read_only=True) as connection:
        return [connection.execute(question).fetchall() for question in QUESTIONS]


def test_the_oldest_client_reads_the_same(folder: Path, tmp_path: Path) -> None:
    python = make_environment(tmp_path / "environment", "requirements-duckdb-1.lock")
    (block,) = blocks("DuckDB", "python")
    assert ask(python, folder, "import duckdb; print(duckdb.__version__)") == "1.0.0\n"
    read = f"{block}\nprint([warehouse.execute(question).fetchall() for question in {QUESTIONS!r}])\nprint(sizes)"
    by_name, sizes = ask(python, folder, read).splitlines()
    expected = answers(folder)
    assert by_name == repr(expected)
    assert [len(rows) for rows in expected[:3]] == [3, 50, 5]
    assert sizes == repr([("rfm", f"segment_{n}", n * 11) for n in range(5)])
    # It is the storage version that lets it: what DuckDB 2 writes by itself, the client refuses.
    today = tmp_path / "today.duckdb"
    with duckdb.connect(str(today)) as connection:
        connection.execute("create table t as select 1 as n")
    with pytest.raises(AssertionError, match="version number"):
        ask(python, folder, f"import duckdb; duckdb.connect({str(today)!r}, read_only=True)")


def test_the_page_opens_both_forms(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    expected = [("rfm", f"segment_{n}", n * 11) for n in range(5)]
    for section in ("DuckDB", "Parquet"):
        (block,) = blocks(section, "python")
        names: dict[str, object] = {}
        exec(block, names)  # noqa: S102 - the page's own words
        assert names["sizes"] == expected, section
        if section == "DuckDB":
            names["warehouse"].close()  # type: ignore[attr-defined]


def test_sqlalchemy_as_the_page_writes_it(folder: Path) -> None:
    import sqlalchemy

    (url,) = blocks("DuckDB", "text")
    engine = sqlalchemy.create_engine(url.strip().replace("/FOLDER", str(folder / "warehouse")))
    with engine.connect() as connection:
        rows = connection.execute(sqlalchemy.text("select sum(customers) from published.segment_sizes")).fetchall()
        with pytest.raises(sqlalchemy.exc.DatabaseError, match="read-only"):
            connection.execute(sqlalchemy.text("create table published.more (n integer)"))
    engine.dispose()
    assert rows == [(110,)]
