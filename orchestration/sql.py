"""Text that goes into SQL where a value cannot be bound: COPY, table functions, names."""

import glob

# Options of COPY for every Parquet file. Level 3, the usual one, takes a quarter more CPU and saves no space (docs/decisions.md).
# A dictionary of more values than that costs more than it saves: identifiers would try one for each group of rows and give it up.
PARQUET = "format parquet, compression zstd, compression_level 1, dictionary_size_limit 5000"


def quote_literal(value: str) -> str:
    """Return the text as an SQL string literal, quotes included."""
    return "'" + value.replace("'", "''") + "'"


def quote_identifier(name: str) -> str:
    """Return the name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_file(path: str) -> str:
    """Return the path of one file as a literal for DuckDB's readers, which would take `*`, `?` and `[` for wildcards."""
    return quote_literal(glob.escape(path))
