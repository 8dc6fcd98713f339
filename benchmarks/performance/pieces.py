"""What runs in a process of its own: `python -m benchmarks.performance.pieces NAME ARGUMENTS FILE`.

ARGUMENTS are the keyword arguments of the function of that name, as JSON; what it returns is written to FILE, as JSON. Heavy libraries are
imported inside, so that no piece pays for what another needs.
"""

import csv
import json
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.settings import PROJECT_DIR, Settings
from orchestration.sql import quote_identifier, quote_literal

FEATURES_SQL = Path(__file__).with_name("features.sql")
THRESHOLDS = PROJECT_DIR / "seeds" / "thresholds.csv"
COMPARISON_MEMORY = "6GB"
# A name that several feature tables have (net_amount, of a period or of all time) is theirs.
NAMED_FIRST = ("customer_order_features", "customer_promotion_features", "customer_rhythm_features")


def make_retailer(folder: str, lines: int) -> None:
    """Write the benchmark's retailer."""
    from benchmarks.performance import retailer

    retailer.make(Path(folder), retailer.size(lines))


def scan(landing: str) -> dict[str, int]:
    """Read every value of all landed order lines once; one hash per row and column keeps the engine from skipping any."""
    from benchmarks.performance.rfm import parquet

    relation = parquet(Path(landing), "transactions")
    with duckdb.connect() as connection:
        columns = [name for name, *_ in connection.execute(f"describe from {relation}").fetchall()]
        counts = ", ".join(f"count({quote_identifier(column)})" for column in columns)
        counted = connection.execute(f"select count(*), {counts} from {relation}").fetchall()[0]
    return {"lines": counted[0], "columns": sum(count > 0 for count in counted[1:])}


def rfm(engine: str, landing: str, as_of: str) -> list[int]:
    """The RFM summary on one engine."""
    from benchmarks.performance.rfm import ENGINES

    return ENGINES[engine](Path(landing), date.fromisoformat(as_of))


def rfm_of_the_models(home: str, source: str) -> list[int]:
    """The RFM summary by the SQL of the models, stored nowhere."""
    from benchmarks.performance.rfm import with_the_models

    return with_the_models(_compiled(home, source))


def rfm_of_a_database(database: str) -> list[int]:
    """The checksum of what a build holds."""
    from benchmarks.performance.rfm import of_a_database

    return of_a_database(Path(database))


def features(landing: str, as_of: str, database: str) -> None:
    """The features by hand-written SQL, into a new database file."""
    from benchmarks.performance.rfm import parquet

    with THRESHOLDS.open(encoding="utf-8", newline="") as file:
        thresholds = {row["name"]: int(float(row["value"])) for row in csv.DictReader(file) if row["name"].endswith("_days")}
    script = FEATURES_SQL.read_text(encoding="utf-8").format(
        lines=parquet(Path(landing), "transactions"),
        customers=parquet(Path(landing), "customers"),
        products=parquet(Path(landing), "products"),
        as_of=as_of,
        window=thresholds["trend_window_days"],
        year=thresholds["trend_year_days"],
        payment_window=thresholds["payment_preference_window_days"],
        channel_window=thresholds["channel_preference_window_days"],
    )
    with duckdb.connect(database) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(script)


def compare_features(by_hand: str, by_models: str) -> dict[str, Any]:
    """Which hand-written figures are equal to the project's for every customer, and which are not or have no counterpart."""
    with duckdb.connect(config={"memory_limit": COMPARISON_MEMORY, "temp_directory": tempfile.gettempdir()}) as connection:
        connection.execute(f"attach {quote_literal(by_hand)} as hand (read_only)")
        connection.execute(f"attach {quote_literal(by_models)} as models (read_only)")
        tables: dict[str, str] = {}
        for table, column in connection.execute(
            """select table_name, column_name from duckdb_columns() where database_name = 'models' and schema_name = 'features'
            order by list_contains(?, table_name) desc, table_name""",
            [list(NAMED_FIRST)],
        ).fetchall():
            tables.setdefault(column, table)
        columns = [
            name
            for (name,) in connection.execute("select column_name from duckdb_columns() where database_name = 'hand'").fetchall()
            if name != "customer_id"
        ]
        found: dict[str, Any] = {"equal": [], "different": {}, "absent": [column for column in columns if column not in tables]}
        for column in (column for column in columns if column in tables):
            different = connection.execute(
                f"""select count(*) from hand.features as hand
                full join models.features.{tables[column]} as models using (customer_id)
                where {_differs(f"hand.{column}", f"models.{column}")}"""
            ).fetchall()[0][0]
            if different:
                found["different"][column] = different
            else:
                found["equal"].append(column)
        model_columns = connection.execute(
            """select count(distinct table_name), count(*) from duckdb_columns()
            where database_name = 'models' and schema_name = 'features' and column_name not in ('customer_id', 'as_of_date')"""
        ).fetchall()[0]
    return {**found, "feature_tables": model_columns[0], "feature_columns": model_columns[1]}


def _differs(first: str, second: str) -> str:
    # Quotients may differ in the last bit where one side divided money and the other cents.
    nearly_equal = f"abs(try_cast({first} as double) - try_cast({second} as double)) <= 1e-12 * (1 + abs(try_cast({first} as double)))"
    return f"{first} is distinct from {second} and not coalesce(typeof({first}) = 'DOUBLE' and {nearly_equal}, false)"


def night(home: str, source: str, as_of: str) -> dict[str, Any]:
    """A whole night through `segments nightly`, with the CPU seconds of its parts."""
    from benchmarks.performance import trace
    from orchestration import cli
    from orchestration.progress import Progress

    moments = trace.watch(Progress)
    try:
        cli.main(["nightly", "--home", home, "--source", source, "--as-of", as_of], standalone_mode=False)
    except SystemExit as end:
        if end.code:
            raise
    manifest = json.loads((Settings(home=Path(home)).dbt_dir / "target" / "manifest.json").read_text(encoding="utf-8"))
    return {"cpu_by_part": trace.cpu_by_part(moments, trace.parts_of_nodes(manifest), trace.cpu_seconds())}


def to_layers(home: str, source: str, as_of: str, selection: list[str]) -> None:
    """Seeds and models (no tests) of a part of the project, through the project's own dbt runner."""
    from orchestration.ingest.source import resolve_source
    from orchestration.transform import dbt

    settings = Settings(home=Path(home), source=source)
    resolved = resolve_source(source)
    settings.database(resolved.name).parent.mkdir(parents=True, exist_ok=True)
    dbt.run(
        ["build", "--select", *selection, "--resource-type", "model", "--resource-type", "seed"],
        settings=settings,
        source=resolved,
        as_of_date=date.fromisoformat(as_of),
        build_id="benchmark",
    )


def bare(home: str, source: str, database: str, layers: list[str]) -> dict[str, int]:
    """The SQL that a night of this home compiled, executed in order into a new database file, and nothing else."""
    models = _compiled(home, source)
    count = 0
    with duckdb.connect(database) as connection:
        models.prepare(connection)
        for node in models.of_layers(layers):
            models.create(connection, node)
            count += 1
    return {"models": count}


def rows_that_differ(first: str, second: str, schemas: list[str]) -> dict[str, Any]:
    """Rows of either database that the other has not, over all tables of some schemas; duplicates count."""
    different: dict[str, int] = {}
    rows = 0
    with duckdb.connect(config={"memory_limit": COMPARISON_MEMORY, "temp_directory": tempfile.gettempdir()}) as connection:
        connection.execute(f"attach {quote_literal(first)} as one (read_only)")
        connection.execute(f"attach {quote_literal(second)} as two (read_only)")
        tables = [_tables(connection, name, schemas) for name in ("one", "two")]
        for table in sorted(tables[0] ^ tables[1]):
            different[table] = -1  # there on one side only
        for table in sorted(tables[0] & tables[1]):
            query = f"""select count(*) from (
                (from one.{table} except all from two.{table}) union all (from two.{table} except all from one.{table})
            )"""
            count = connection.execute(query).fetchall()[0][0]
            rows += connection.execute(f"select count(*) from one.{table}").fetchall()[0][0]
            if count:
                different[table] = count
    return {"tables": len(tables[0] | tables[1]), "rows": rows, "different": different}


def _tables(connection: duckdb.DuckDBPyConnection, database: str, schemas: list[str]) -> set[str]:
    found = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where database_name = ? and list_contains(?, schema_name)",
        [database, schemas],
    ).fetchall()
    return {name for (name,) in found}


def _compiled(home: str, source: str) -> Any:
    from benchmarks.performance.compiled import CompiledModels

    settings = Settings(home=Path(home))
    return CompiledModels(settings.dbt_dir / "target", settings.database(source), settings.landing(source))


PIECES = {
    piece.__name__: piece
    for piece in (
        make_retailer,
        scan,
        rfm,
        rfm_of_the_models,
        rfm_of_a_database,
        features,
        compare_features,
        night,
        to_layers,
        bare,
        rows_that_differ,
    )
}


def main(name: str, arguments: str, file: str) -> None:
    """Run one piece and write what it returns."""
    found = PIECES[name](**json.loads(arguments))
    Path(file).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
