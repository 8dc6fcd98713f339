"""Mappings: one SELECT per raw table over the files of a source.

Two placeholders stand in the SQL: `{{ source }}` inside a string literal, for the folder of the source's files
(`from '{{ source }}/sales/*.parquet'`), and `{{ business_timezone }}` inside a string literal, for the zone that source.yml names.
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

PLACEHOLDER = re.compile(r"\{\{\s*(\w*)\s*\}\}")
# What a literal says after the folder: the files that the query reads.
REFERENCE = re.compile(r"\{\{\s*source\s*\}\}((?:[^']|'')*)'")


@dataclass(frozen=True)
class Query:
    """The query of one mapping file, ready to run."""

    text: str
    """The SQL as written in the file."""
    sql: str
    """One SELECT with the placeholders filled in, without a final semicolon."""
    columns: list[tuple[str, str]]
    """Names and DuckDB types of its result."""
    files: tuple[tuple[str, tuple[Path, ...]], ...]
    """The data files it reads, by the reference that names them."""

    def fingerprint(self, business_timezone: str, file_sha256: Callable[[Path], str]) -> str:
        """Identify the result without computing it: the SQL, the business timezone and the content of the files it reads.

        File names do not count: where the files are, and how a pattern's files are called, does not change what is read.
        """
        files = [[reference, sorted(map(file_sha256, paths))] for reference, paths in self.files]
        described = json.dumps({"sql": self.text, "business_timezone": business_timezone, "files": files})
        return hashlib.sha256(described.encode()).hexdigest()


def read_query(connection: duckdb.DuckDBPyConnection, source: Source, path: Path) -> Query:
    """Read and bind one mapping file.

    Raises:
        UnusableInput: it is not one SELECT, or it does not bind to the source's files.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{path} cannot be read as UTF-8 text: {error}") from error
    filled = _fill(text, source, path)
    try:
        statements = connection.extract_statements(filled)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise UnusableInput(f"{path} must be exactly one SELECT")
        sql = statements[0].query.strip().rstrip(";")
        described = connection.execute(f"describe {sql}").fetchall()
    except duckdb.Error as error:
        message = " ".join(line.strip() for line in str(error).splitlines() if line.strip())
        raise UnusableInput(f"{path} does not run: {message[:500]}") from error
    return Query(text, sql, [(row[0], row[1]) for row in described], _files_read(connection, source, text))


def _fill(text: str, source: Source, path: Path) -> str:
    # Both stand inside a literal, so the quotes around them are the mapping's own.
    values = {"source": quote_file(str(source.folder))[1:-1], "business_timezone": quote_literal(source.business_timezone)[1:-1]}

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in values:
            raise UnusableInput(f"{path}: unknown placeholder {found[0]}; use {{{{ source }}}} or {{{{ business_timezone }}}}")
        return values[name]

    return PLACEHOLDER.sub(value, text)


def _files_read(connection: duckdb.DuckDBPyConnection, source: Source, text: str) -> tuple[tuple[str, tuple[Path, ...]], ...]:
    """The files behind every reference; a reference that names no file by itself counts for every file of the source."""
    found = []
    for reference in sorted(set(REFERENCE.findall(text))):
        pattern = quote_file(str(source.folder))[:-1] + reference + "'"
        named = [Path(row[0]) for row in connection.execute(f"select file from glob({pattern})").fetchall()]
        files = [path for path in named if path.is_file()] or [path for path in source.folder.rglob("*") if path.is_file()]
        found.append((reference, tuple(sorted(files))))
    return tuple(found)
