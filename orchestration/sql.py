"""Text that goes into SQL where a value cannot be bound: COPY, table functions, names."""

import glob


def quote_literal(value: str) -> str:
    """Return the text as an SQL string literal, quotes included."""
    return "'" + value.replace("'", "''") + "'"


def quote_identifier(name: str) -> str:
    """Return the name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_file(path: str) -> str:
    """Return the path of one file as a literal for DuckDB's readers, which would take `*`, `?` and `[` for wildcards."""
    return quote_literal(glob.escape(path))
