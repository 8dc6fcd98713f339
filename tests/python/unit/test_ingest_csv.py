"""CSV files as they really come: no line stops the night, and none is lost."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.errors import UnusableInput
from orchestration.ingest.contract import read_contract
from orchestration.ingest.csv_file import WHOLE_LINE, CsvHeader, _records, count_records, read_batches
from orchestration.ingest.inspection import Input
from orchestration.ingest.landing import _clean_csv, land
from orchestration.ingest.source import resolve_source
from tests.python.unit.ingest_tools import NIGHT, TRANSACTIONS, contract_of, land_folder, landed, write


def customers(tmp_path: Path, content: str | bytes, columns: str = "customer_id, city") -> list[tuple[Any, ...]]:
    """Land one customers.csv and return its rows."""
    land_folder(write(tmp_path / "source", customers_csv=content), tmp_path / "landing", contract=contract_of("customers"))
    return landed(tmp_path / "landing", "customers", columns)


def test_a_clean_file(tmp_path: Path) -> None:
    columns = "customer_id, city, country, source_file, source_row, unreadable_columns, row_as_it_came"
    assert customers(tmp_path, "customer_id,city\n1,Oslo\n2,Bergen\n", columns) == [
        ("1", "Oslo", None, "customers.csv", 1, None, None),
        ("2", "Bergen", None, "customers.csv", 2, None, None),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffcustomer_id,city\n1,Oslo\n2,Bergen\n",
        "customer_id;city\n1;Oslo\n2;Bergen\n",
        "customer_id\tcity\n1\tOslo\n2\tBergen\n",
        "customer_id|city\n1|Oslo\n2|Bergen",
        "customer_id,city\r\n1,Oslo\r\n2,Bergen\r\n",
        "customer_id,city\r1,Oslo\r2,Bergen\r",
        "customer_id,city\r\n1,Oslo\n2,Bergen\r\n",
        '"customer_id","city"\n"1","Oslo"\n"2","Bergen"\n',
        " Customer_ID , CITY \n 1 , Oslo\t\n2,\u00a0Bergen  \n",
        "\n\ncustomer_id,city\n1,Oslo\n\n2,Bergen\n\n\n",
        "customer_id,city\n1,Oslo\n   \n2,Bergen\n",
        "customer_id,city,\n1,Oslo,\n2,Bergen,\n",
        "customer_id,city\n1,Oslo,\n2,Bergen,\n",
        "notes,city,customer_id\na,Oslo,1\nb,Bergen,2\n",
        'customer_id,city,"more\nnotes"\n1,Oslo,x\n2,Bergen,y\n',
    ],
)
def test_one_content_written_in_many_ways(tmp_path: Path, content: str) -> None:
    assert customers(tmp_path, content, "customer_id, city, unreadable_columns") == [("1", "Oslo", None), ("2", "Bergen", None)]


def test_quoted_values_keep_delimiters_quotes_and_line_ends(tmp_path: Path) -> None:
    content = 'customer_id,city\n1,"Oslo, Norway"\n2,"""Bergen"""\n3,"two\r\n\r\nlines"\n4,""\n5,5" pipe\n'
    assert customers(tmp_path, content) == [
        ("1", "Oslo, Norway"),
        ("2", '"Bergen"'),
        ("3", "two\r\n\r\nlines"),
        ("4", None),
        ("5", '5" pipe'),
    ]


def test_nul_and_odd_unicode_survive(tmp_path: Path) -> None:
    odd = ["a\x00b", "\u202eabc", "e\u0301", "\U0001f600", "\ufeffx", "\u2028y"]
    content = "customer_id,city\n" + "".join(f"{i},{text}\n" for i, text in enumerate(odd))
    assert [row[0] for row in customers(tmp_path, content, "city")] == odd


def test_words_are_not_null(tmp_path: Path) -> None:
    assert customers(tmp_path, "customer_id,city\n1,NULL\n2,null\n3,NA\n4,nan\n5,\n", "city") == [
        ("NULL",),
        ("null",),
        ("NA",),
        ("nan",),
        (None,),
    ]


def test_a_file_with_one_column(tmp_path: Path) -> None:
    assert customers(tmp_path, "customer_id\n1\n\n2\n\n", "customer_id, source_row") == [("1", 1), ("2", 2)]


def test_a_header_alone_lands_no_rows(tmp_path: Path) -> None:
    assert customers(tmp_path, "customer_id,city") == []


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("7", "7"),
        ("7,Oslo,extra", "7,Oslo,extra"),
        ('7,"Os"lo', '7,"Os"lo'),
        ('"7,Oslo', '"7,Oslo'),
        ("7,Oslo,,x", "7,Oslo,,x"),
    ],
)
def test_a_line_that_cannot_be_split_costs_itself_alone(tmp_path: Path, line: str, shown: str) -> None:
    content = f'customer_id,city\n1,Oslo\n{line}\n2,"Ber\ngen"\n3,Bodø\n'
    columns = "customer_id, city, source_row, unreadable_columns, row_as_it_came"
    assert customers(tmp_path, content, columns) == [
        ("1", "Oslo", 1, None, None),
        (None, None, 2, WHOLE_LINE, json.dumps({WHOLE_LINE: shown}, separators=(",", ":"))),
        ("2", "Ber\ngen", 3, None, None),
        ("3", "Bodø", 4, None, None),
    ]


def test_an_open_quote_does_not_swallow_the_rest_of_the_file(tmp_path: Path) -> None:
    good = "".join(f"{i},Oslo\n" for i in range(50_000))
    rows = customers(tmp_path, f'customer_id,city\nx,"Oslo\n{good}', "customer_id, unreadable_columns")
    assert rows[0] == (None, WHOLE_LINE)
    assert rows[1:] == [(str(i), None) for i in range(50_000)]


def test_an_open_quote_in_the_last_line_is_not_dropped(tmp_path: Path) -> None:
    """DuckDB reads such a file without that line and says nothing; the quote in the line before hides it from a count of quotes."""
    rows = customers(tmp_path, 'customer_id,city\n1,5" pipe\n2,"open', "customer_id, city, unreadable_columns")
    assert rows == [("1", '5" pipe', None), (None, None, WHOLE_LINE)]


def test_bytes_that_are_not_utf_8_cost_their_value_alone(tmp_path: Path) -> None:
    content = "customer_id,city,notes\n1,Tromsø,x\n2,Oslo,caf\u00e9\n3,Oslo,x\n".encode("latin-1")
    columns = "customer_id, city, unreadable_columns, row_as_it_came"
    assert customers(tmp_path, content, columns) == [
        ("1", None, "city", '{"(whole line)":"1,Troms\\\\xf8,x"}'),
        ("2", "Oslo", None, None),
        ("3", "Oslo", None, None),
    ]


def test_a_bad_byte_and_a_bad_date_in_one_row_are_both_named(tmp_path: Path) -> None:
    content = b"customer_id,city,birth_date\n1,\xff,yesterday\n"
    assert customers(tmp_path, content, "customer_id, city, birth_date, unreadable_columns") == [("1", None, None, "city,birth_date")]


def test_compressed_files_clean_damaged_and_in_several_parts(tmp_path: Path) -> None:
    parts = gzip.compress(b"customer_id,city\n1,Oslo\n") + gzip.compress(b"2,Bergen\n")
    source = write(tmp_path / "source", transactions_csv=TRANSACTIONS)
    (source / "customers.csv").unlink()
    (source / "customers").mkdir()
    (source / "customers" / "a.csv.gz").write_bytes(parts)
    (source / "customers" / "b.csv.gz").write_bytes(gzip.compress(b"customer_id,city\n3\n4,Oslo\n"))
    land_folder(source, tmp_path / "landing")
    assert landed(tmp_path / "landing", "customers", "customer_id, unreadable_columns, source_file, source_row") == [
        ("1", None, "customers/a.csv.gz", 1),
        ("2", None, "customers/a.csv.gz", 2),
        (None, WHOLE_LINE, "customers/b.csv.gz", 1),
        ("4", None, "customers/b.csv.gz", 2),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("customers.csv", b"", "is empty; its first line must name the columns"),
        ("customers.csv", b"\n \n", "is empty; its first line must name the columns"),
        ("customers.csv", b"\xef\xbb\xbf", "is empty; its first line must name the columns"),
        ("customers.csv", "customer_id,city\n1,Oslo\n".encode("utf-16"), "is not UTF-8 text"),
        ("customers.csv", "customer_id,city\n1,Oslo\n".encode("utf-16-le"), "is not UTF-8 text"),
        ("customers.csv", b"customer_id,city,City\n", "names the column city twice; rename one of them"),
        ("customers.csv", b"1,Oslo\n2,Bergen\n", "has no column customer_id, which customers requires; add it"),
        ("customers.csv", b"customerid,city\n", "has no column customer_id, which customers requires; rename its column customerid"),
        ("customers.csv", b'"customer_id,city\n', "has no column customer_id"),
        ("customers.csv.gz", b"customer_id,city\n1,Oslo\n", "is not a whole gzip file"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    source = write(tmp_path / "source")
    (source / "customers.csv").unlink()
    (source / name).write_bytes(content)
    with pytest.raises(UnusableInput, match=message) as refused:
        land_folder(source, tmp_path / "landing")
    assert str(source / name) in str(refused.value)
    assert not (tmp_path / "landing").exists()


def test_a_compressed_file_that_was_cut_off_lands_nothing(tmp_path: Path) -> None:
    source = write(tmp_path / "source")
    (source / "customers.csv").unlink()
    lines = "".join(f"{i},city {i * 7919}\n" for i in range(100_000))
    (source / "customers.csv.gz").write_bytes(gzip.compress(f"customer_id,city\n{lines}".encode())[:-5000])
    with pytest.raises(UnusableInput, match=r"customers\.csv\.gz .*gzip"):
        land_folder(source, tmp_path / "landing")
    assert not list((tmp_path / "landing").rglob("*.parquet"))


def test_quoted_values_of_many_lines_in_a_file_larger_than_a_buffer(tmp_path: Path) -> None:
    """DuckDB's parallel reader took lines inside such values for rows."""
    note = "a,b\n" * 12_000
    content = "customer_id,city\n" + "".join(f'{i},"{note}{i}"\n' for i in range(900))
    assert len(content) > 40_000_000
    rows = customers(tmp_path, content, "customer_id, right(city, 8), unreadable_columns, source_row")
    assert rows == [(str(i), f"a,b\na,b\n{i}"[-8:], None, i + 1) for i in range(900)]


# -- everything at once ------------------------------------------------------------------------------------------------------------

anything = st.text(st.characters(codec="utf-8"), max_size=8)
values = st.one_of(anything, st.sampled_from(['"', '""', ",", ";", "\n", "\r\n", "\r", " ", "", "\x00", '"a"', ' "a" ', "a\nb,c"]))
tables = st.lists(st.lists(values, min_size=3, max_size=3), max_size=12)
damaged_lines = st.sampled_from([b"one", b"a,b,c,d,e", b'"a"b,c,d', b"caf\xe9,b,c", b"\xff\xfe,,", b"a\rb,c"])


def as_csv(rows: list[list[str]], line_end: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=tables, damage=st.lists(st.tuples(st.integers(0, 12), damaged_lines), max_size=4), line_end=st.sampled_from(["\n", "\r\n"]))
def test_rows_in_are_rows_landed(
    rows: list[list[str]], damage: list[tuple[int, bytes]], line_end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever is in the values and whatever lines are broken: every line that was written lands, in its place."""
    lines = [as_csv([row], line_end).encode() for row in rows]
    expected: list[list[str | None] | None] = [[value.strip(" \t\r\n\u00a0") or None for value in row] for row in rows]
    for position, line in damage:
        place = min(position, len(lines))
        if line == b"a\rb,c":
            lines[place:place] = [b"a\r", b"b,c" + line_end.encode()]
            expected[place:place] = [None, None]
        else:
            lines.insert(place, line + line_end.encode())
            expected.insert(place, None)
    folder = tmp_path_factory.mktemp("csv")
    rows_landed = customers(
        folder, b"customer_id,city,first_name\n" + b"".join(lines), "customer_id, city, first_name, unreadable_columns, source_row"
    )
    assert [row[4] for row in rows_landed] == list(range(1, len(expected) + 1))
    for got, wanted in zip(rows_landed, expected, strict=True):
        if wanted is None:
            assert got[3] is not None
        else:
            assert got[3] is None
            assert [(value and value.strip()) or None for value in got[:3]] == [(value and value.strip()) or None for value in wanted]


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.sampled_from('ab,"\n\r ;'), max_size=60), delimiter=st.sampled_from([",", ";"]))
def test_no_character_is_lost_between_records(text: str, delimiter: str) -> None:
    """Put together again, the records are the file; only lines of nothing but spaces are no records."""
    found = [record.text for record in _records(iter(io.StringIO(text, newline="")), delimiter)]
    put_together = "".join(found).replace("\r", "").replace("\n", "")
    inside = "".join(line for line in io.StringIO(text, newline="") if line.strip("\r\n ")).replace("\r", "").replace("\n", "")
    assert put_together.replace(" ", "") == inside.replace(" ", "")


@settings(max_examples=400, deadline=None)
@given(text=st.text(st.sampled_from('ab,"\n\r \u00e9'), max_size=60))
def test_the_engine_and_the_careful_reader_agree(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file that DuckDB is believed to read has the same rows when it is read line by line."""
    path = tmp_path_factory.getbasetemp() / "customers.csv"
    path.write_text("customer_id,city\n" + text, newline="")
    header = CsvHeader(("customer_id", "city"), ",", is_first_line=True)
    item = Input(read_contract().tables["customers"], path.name, path, (), csv_header=header)
    try:
        quick = duckdb.execute(f"select c0, c1 from {_clean_csv(item)}").fetchall()
    except duckdb.Error:
        return
    if count_records(path, ",") != len(quick) + 1:
        return
    records = [row for batch in read_batches(path, header, {0: "customer_id", 1: "city"}) for row in batch.to_pylist()]
    assert [row["unreadable"] for row in records] == [None] * len(quick)
    careful = [(row["c0"].strip() or None, row["c1"].strip() or None) for row in records]
    assert careful == [((a or "").strip() or None, (b or "").strip() or None) for a, b in quick]


def test_the_same_rows_whether_or_not_another_line_is_damaged(tmp_path: Path) -> None:
    content = 'customer_id,city\n1,"a"  \n2, "b"\n3,c"d\n4,"e""f"\n5,\n6,g,\n'
    clean = customers(tmp_path / "clean", content)
    damaged = customers(tmp_path / "damaged", content + "7\n")
    assert damaged == [*clean, (None, None)]


def test_a_damaged_file_lands_once(tmp_path: Path) -> None:
    source = resolve_source(write(tmp_path / "source", customers_csv="customer_id,city\n1\n2,Oslo\n"))
    first = land(source, tmp_path / "landing", NIGHT)
    assert (first.tables[0].rows_landed, first.tables[0].rows_unreadable) == (2, 1)
    assert land(source, tmp_path / "landing", NIGHT).new_batches == ()
