"""Mappings: one SELECT per raw table over the files of a source.

Placeholders stand inside string literals of the SQL:

* `'{{ source }}/sales/*.parquet'`: the folder of the source's files.
* `'{{ each_file_in_source }}/sales/*.parquet'`: the query runs once for every file that the literal matches, and each file lands as a
  batch of its own. A night then reads the new files only.
* `'{{ business_timezone }}'`: the zone that source.yml names.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.errors import UnusableInput
from orchestration.ingest.source import Source
from orchestration.sql import quote_file, quote_literal

PLACEHOLDERS = ("source", "each_file_in_source", "business_timezone")
PLACEHOLDER = re.compile(r"\{\{\s*(\w*)\s*\}\}")
# What a literal says after the folder: the files that the query reads.
REFERENCE = re.compile(r"\{\{\s*source\s*\}\}((?:[^']|'')*)'")
EACH_FILE = re.compile(r"'\{\{\s*each_file_in_source\s*\}\}((?:[^']|'')*)'")


@dataclass(frozen=True)
class Query:
    """One query of a mapping, ready to run."""

    name: str
    """How people and batches call it: the SQL file, and the data file that it is run for when it runs for each."""
    text: str
    """The SQL as written in the file."""
    sql: str
    """One SELECT with the placeholders filled in, without a final semicolon."""
    columns: list[tuple[str, str]]
    """Names and DuckDB types of its result."""
    files: tuple[tuple[str, tuple[Path, ...]], ...]
    """The data files it reads, by the reference that names them."""
    each_file: Path | None = None
    """The data file that it is run for when it runs for each."""

    def fingerprint(self, business_timezone: str, file_sha256: Callable[[Path], str]) -> str:
        """Identify the result without computing it: the SQL, the business timezone and the content of the files it reads.

        File names do not count: where the files are, and how a pattern's files are called, does not change what is read.
        """
        files = [[reference, sorted(map(file_sha256, paths))] for reference, paths in self.files]
        described = json.dumps({"sql": self.text, "business_timezone": business_timezone, "files": files})
        return hashlib.sha256(described.encode()).hexdigest()


def read_queries(connection: duckdb.DuckDBPyConnection, source: Source, path: Path) -> list[Query]:
    """Read one mapping file and bind it to the source's files: one query, or one for each file where it asks for that.

    Raises:
        UnusableInput: it is not one SELECT, or it does not bind.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{path} cannot be read as UTF-8 text: {error}") from error
    for found in PLACEHOLDER.finditer(text):
        if found[1] not in PLACEHOLDERS:
            valid = " or ".join(f"{{{{ {name} }}}}" for name in PLACEHOLDERS)
            raise UnusableInput(f"{path}: unknown placeholder {found[0]}; use {valid}")
    references = [(reference, _files_read(connection, source, reference)) for reference in sorted(set(REFERENCE.findall(text)))]
    each = sorted(set(EACH_FILE.findall(text)))
    if not each:
        sql, columns = _bind(connection, str(path), _fill(text, source))
        return [Query(path.name, text, sql, columns, tuple(references))]
    files = _glob(connection, source, each[0])
    if len(each) > 1 or not files:
        wrong = "more than one literal starts" if len(each) > 1 else f"no file matches the literal '{each[0]}' that starts"
        raise UnusableInput(f"{path}: {wrong} with {{{{ each_file_in_source }}}}; name the files in one literal")
    queries = []
    for file in files:
        name = f"{path.name} ({file.relative_to(source.folder).as_posix()})"
        sql, columns = _bind(connection, f"{path.parent}/{name}", _fill(text, source, file))
        queries.append(Query(name, text, sql, columns, ((each[0], (file,)), *references), each_file=file))
    return queries


def _bind(connection: duckdb.DuckDBPyConnection, where: str, filled: str) -> tuple[str, list[tuple[str, str]]]:
    """The statement of a mapping file and the columns of its result; `where` is how errors call it."""
    try:
        statements = connection.extract_statements(filled)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise UnusableInput(f"{where} must be exactly one SELECT")
        sql = _without_end(statements[0].query)
        described = connection.execute(f"describe {sql}").fetchall()
    except duckdb.Error as error:
        message = " ".join(line.strip() for line in str(error).splitlines() if line.strip())
        raise UnusableInput(f"{where} does not run: {message[:500]}") from error
    return sql, [(row[0], row[1]) for row in described]


def _without_end(statement: str) -> str:
    """A statement without its final semicolon and the comments after it."""
    text = statement.encode()  # the tokenizer counts bytes
    ends = [at for at, token in duckdb.tokenize(statement) if token == duckdb.token_type.operator and text[at : at + 1] == b";"]
    return text[: ends[0]].decode() if ends else statement


def _fill(text: str, source: Source, each_file: Path | None = None) -> str:
    """The SQL with its placeholders filled in; the quotes around them are the mapping's own."""
    values = {"source": quote_file(str(source.folder))[1:-1], "business_timezone": quote_literal(source.business_timezone)[1:-1]}
    filled = PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)
    return filled if each_file is None else EACH_FILE.sub(lambda _: quote_file(str(each_file)), filled)


def _glob(connection: duckdb.DuckDBPyConnection, source: Source, reference: str) -> list[Path]:
    """The files that DuckDB reads for what a literal says after the folder."""
    pattern = quote_file(str(source.folder))[:-1] + reference + "'"
    paths = [Path(row[0]) for row in connection.execute(f"select file from glob({pattern})").fetchall()]
    return sorted(path for path in paths if path.is_file())


def _files_read(connection: duckdb.DuckDBPyConnection, source: Source, reference: str) -> tuple[Path, ...]:
    """The files behind a reference; one that names no file by itself counts for every file of the source."""
    return tuple(_glob(connection, source, reference) or sorted(path for path in source.folder.rglob("*") if path.is_file()))
