"""CSV files as they really come: what their header says, and every record of a damaged one.

A clean file is read by DuckDB. A file in which DuckDB finds anything wrong is read here instead, record by record, so that one bad
line costs that line and nothing else. Both read the same dialect: fields are separated by one delimiter; a field that starts with a
quote ends at the closing quote, may hold delimiters and line ends, and writes a quote as two; spaces after the closing quote do not
count; empty fields too many at the end of a line do not count; an empty line is not a row.
"""

import gzip
import io
import itertools
import re
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa

from orchestration.errors import UnusableInput

DELIMITERS = (",", ";", "\t", "|")
WHOLE_LINE = "(whole line)"
"""Stands in `unreadable_columns` for a line that could not be split into the columns of the header."""
# A quote that is not closed within this many characters was never meant to open a value of many lines.
LONGEST_QUOTED_VALUE = 1 << 18
ROWS_IN_A_BATCH = 20_000

# A quoted field and what may follow it, or an unquoted one; possessive, so that a bad line costs no backtracking.
_FIELD = {
    delimiter: re.compile(rf'(?:"((?:[^"]|"")*+)" *+|((?!")[^{re.escape(delimiter)}\r\n]*+))({re.escape(delimiter)}|(?:\r\n|\r|\n)?\Z)')
    for delimiter in DELIMITERS
}
_OPEN = re.compile(r'"(?:[^"]|"")*+\Z')


@dataclass(frozen=True)
class CsvHeader:
    """What the first line of a CSV file says."""

    names: tuple[str, ...]
    """Column names as written, without surrounding space."""
    delimiter: str
    is_first_line: bool
    """False when empty lines stand before the header."""


@dataclass(frozen=True)
class Record:
    """One record of a CSV file."""

    fields: list[str] | None
    """None when the line cannot be split."""
    text: str
    """The record as it came, line end excluded. Bytes that are not UTF-8 are lone surrogates."""


@contextmanager
def _open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a CSV file, compressed or not.

    Raises:
        UnusableInput: the file cannot be read or decompressed; also from within the `with` block.
    """
    try:
        with gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb") as raw:
            yield raw  # type: ignore[misc]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnusableInput(f"{path} is not a whole gzip file ({error}); copy it again") from error
    except OSError as error:
        raise UnusableInput(f"{path} cannot be read: {error.strerror or error}") from error


@contextmanager
def _open_text(path: Path) -> Iterator[io.TextIOWrapper]:
    """Open a CSV file as text; a byte-order mark is skipped, bytes that are not UTF-8 become lone surrogates."""
    # newline="": ends of lines inside quoted values stay as they are.
    with _open_bytes(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        yield text


def count_records(path: Path, delimiter: str) -> int | None:
    """Count the records of a file, its header included, by its quotes and line ends alone.

    It counts what is written by the book and gives up, with None, where a quote stands inside an unquoted value or is never closed.
    Empty lines count. So where it agrees with a reader of another kind, neither has lost a line.
    """
    records = 0
    is_quoted = False
    last = b"\n"
    before_quote = np.frombuffer(f'"\r\n{delimiter}'.encode(), dtype=np.uint8)
    with _open_bytes(path) as raw:
        if raw.read(3) != b"\xef\xbb\xbf":
            raw.seek(0)
        while chunk := raw.read(1 << 22):
            if b'"' in chunk:
                characters = np.frombuffer(chunk, dtype=np.uint8)
                quotes = characters == ord('"')
                quoted = np.bitwise_xor.accumulate(quotes.view(np.uint8)) ^ is_quoted
                opening = np.flatnonzero(quotes & (quoted == 1))
                # Within a quoted value a doubled quote closes and opens again.
                previous = np.frombuffer(last + chunk[:-1], dtype=np.uint8)[opening]
                if not np.isin(previous, before_quote).all():
                    return None
                records += int(np.count_nonzero((characters == ord("\n")) & (quoted == 0)))
                is_quoted = bool(quoted[-1])
            elif not is_quoted:
                records += chunk.count(b"\n")
            last = chunk[-1:]
    if is_quoted:
        return None
    return records + (last != b"\n")


def read_header(path: Path, known_names: frozenset[str]) -> CsvHeader:
    """Read the names of the columns, and find the delimiter: the one that shows the most names of the contract.

    Raises:
        UnusableInput: the file cannot be read, is empty, or is not UTF-8 text.
    """
    with _open_text(path) as text:
        empty_lines = 0
        for line in text:
            if line.strip("\r\n "):
                break
            empty_lines += 1
        else:
            raise UnusableInput(f"{path} is empty; its first line must name the columns")
        if line.startswith(("\udcff\udcfe", "\udcfe\udcff")) or "\x00" in line:
            raise UnusableInput(f"{path} is not UTF-8 text (UTF-16?); save it as UTF-8")
        # A quoted name may run on into the following lines.
        lines = [line, *(itertools.islice(text, 100) if line.count('"') % 2 else ())]
    headers = []
    for delimiter in DELIMITERS:
        first = next(_records(iter(lines), delimiter))
        names = tuple(_visible(name).strip() for name in first.fields or [first.text])
        headers.append(CsvHeader(names, delimiter, is_first_line=empty_lines == 0))
    return max(headers, key=lambda header: len({name.lower() for name in header.names} & known_names))


def read_batches(path: Path, header: CsvHeader, contract_columns: dict[int, str]) -> Iterator[pa.RecordBatch]:
    """Read every record of a damaged file.

    Args:
        path: the file.
        header: its header.
        contract_columns: the contract's name of each position that is landed.

    Returns:
        Batches of text columns `c0` … (one per column of the header, null where a value is not UTF-8), then `unreadable` (null, or
        the names of what could not be read, comma-separated) and `line` (null, or the record as it came).
    """
    width = len(header.names)
    columns: list[list[str | None]] = []
    with _open_text(path) as text:
        records = _records(iter(text), header.delimiter)
        next(records)
        for record in records:
            columns.append(_row(record, width, contract_columns))
            if len(columns) == ROWS_IN_A_BATCH:
                yield _batch(columns, width)
                columns = []
    yield _batch(columns, width)


def batch_schema(width: int) -> pa.Schema:
    """The columns of `read_batches` for a header of this many columns."""
    return pa.schema([(name, pa.string()) for name in (*(f"c{i}" for i in range(width)), "unreadable", "line")])


def _batch(rows: list[list[str | None]], width: int) -> pa.RecordBatch:
    schema = batch_schema(width)
    columns = zip(*rows, strict=True) if rows else ((),) * len(schema)
    return pa.record_batch([pa.array(column, pa.string()) for column in columns], schema=schema)


def _row(record: Record, width: int, contract_columns: dict[int, str]) -> list[str | None]:
    fields = record.fields
    if fields is not None and len(fields) > width and not any(fields[width:]):
        fields = fields[:width]
    if fields is None or len(fields) != width:
        return [*[None] * width, WHOLE_LINE, _visible(record.text)]
    if record.text.isascii() or _is_utf8(record.text):
        return [*fields, None, None]
    unreadable = [name for position, name in contract_columns.items() if not _is_utf8(fields[position])]
    values = [value if _is_utf8(value) else None for value in fields]
    return [*values, ",".join(unreadable) or None, _visible(record.text) if unreadable else None]


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _visible(text: str) -> str:
    r"""The text with bytes that are not UTF-8 written as \xe9, so that it can be stored and read."""
    return text if _is_utf8(text) else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _records(lines: Iterator[str], delimiter: str) -> Iterator[Record]:
    """Split lines into records; after a line that cannot be split, reading resumes at the very next line."""
    waiting: deque[str] = deque()

    def next_line() -> str | None:
        return waiting.popleft() if waiting else next(lines, None)

    while (line := next_line()) is not None:
        text = line.rstrip("\r\n")
        if not text.strip(" "):
            continue
        if '"' not in text:
            yield Record(text.split(delimiter), text)
            continue
        taken = [line]
        fields: list[str] = []
        rest, state = _split(line, delimiter, fields)
        while state == "open" and len(rest) < LONGEST_QUOTED_VALUE and (more := next_line()) is not None:
            taken.append(more)
            rest += more
            if '"' in more:
                rest, state = _split(rest, delimiter, fields)
        if state == "done":
            yield Record(fields, "".join(taken).rstrip("\r\n"))
        else:
            yield Record(None, text)
            waiting.extendleft(reversed(taken[1:]))


def _split(text: str, delimiter: str, fields: list[str]) -> tuple[str, str]:
    """Take fields off the front of a line; returns what is left, and `done`, `open` (a quoted value goes on) or `bad`."""
    position = 0
    pattern = _FIELD[delimiter]
    while found := pattern.match(text, position):
        quoted, plain, end = found.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        position = found.end()
        if end != delimiter:
            return "", "done"
    return text[position:], "open" if _OPEN.match(text, position) else "bad"
