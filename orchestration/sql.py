"""Text that goes into SQL where a value cannot be bound: COPY, table functions, names."""

import glob

# Options of COPY for every Parquet file. Level 3, the usual one, takes a quarter more CPU and saves no space (docs/decisions.md).
PARQUET = "format parquet, compression zstd, compression_level 1"


def quote_literal(value: str) -> str:
    """Return the text as an SQL string literal, quotes included."""
    return "'" + value.replace("'", "''") + "'"


def quote_identifier(name: str) -> str:
    """Return the name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_file(path: str) -> str:
    """Return the path of one file as a literal for DuckDB's readers, which would take `*`, `?` and `[` for wildcards."""
    return quote_literal(glob.escape(path))
