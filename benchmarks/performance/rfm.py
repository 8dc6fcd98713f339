"""The RFM summary, written for several engines: per customer the day of the last purchase, the number of orders, the net sales.

All read the landed Parquet and do the same work: the newest version of every line counts, cancelled lines and unknown customers do not,
refunds take back, an order is of the day of its first purchase line. Each returns the same checksum, in whole numbers.
"""

import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.performance.compiled import CompiledModels
from orchestration.sql import quote_literal

# Customers, days of recency, orders, cents, and two sums in which every customer's figures have another weight.
Checksum = list[int]

CHECKSUM = """
select
    count(*),
    sum(recency_days)::bigint,
    sum(orders)::bigint,
    sum(cents)::bigint,
    sum(cents * (customer_number % 1009))::bigint,
    sum((recency_days * 1000 + orders) * (customer_number % 997))::bigint
from summary
"""

# Finding the superseded lines by a narrow pass is explained in features.sql.
PLAIN = """
with
    suspects as (
        select order_id from {lines}
        group by order_id
        having bit_count(bit_or(1::bigint << (hash(line_id) % 63)::integer)) < count(*)
    ),

    superseded as (
        select loaded_at, source_row from {lines}
        semi join suspects using (order_id)
        qualify row_number() over (partition by order_id, line_id order by loaded_at desc, source_row desc) > 1
    ),

    orders as (
        select
            customer_id,
            min(case when status <> 'returned' and amount >= 0 then ordered_at end)::date as day,
            sum((100 * case when status = 'returned' then -abs(amount) else amount end)::integer)::integer as cents
        from {lines}
        anti join superseded using (loaded_at, source_row)
        where status <> 'cancelled' and ordered_at < timestamp '{as_of}'
        group by order_id, customer_id
    ),

    summary as (
        select
            customer_id::bigint as customer_number,
            date '{as_of}' - max(day) as recency_days,
            count(day) as orders,
            sum(cents)::bigint as cents
        from orders
        semi join (select customer_id from {customers}) using (customer_id)
        group by customer_id
        having count(day) > 0
    )
"""

OF_THE_MODELS = """
with summary as (
    select
        customer_id::bigint as customer_number,
        recency_days,
        order_count as orders,
        (100 * net_amount)::bigint as cents
    from {relation}
    where order_count > 0
)
"""


def parquet(landing: Path, table: str) -> str:
    """A landed table as a relation in DuckDB."""
    return f"read_parquet({quote_literal(str(landing / table / '*' / '*.parquet'))}, hive_partitioning = false)"


def _batches(landing: Path, table: str) -> list[Path]:
    # The batch without rows that declares the columns has nothing to add.
    return [file for file in sorted((landing / table).glob("*/*.parquet")) if file.parent.name != "batch=contract"]


def with_duckdb(landing: Path, as_of: date) -> Checksum:
    """Plain DuckDB, one statement."""
    query = PLAIN.format(lines=parquet(landing, "transactions"), customers=parquet(landing, "customers"), as_of=as_of)
    with duckdb.connect(config={"temp_directory": tempfile.gettempdir()}) as connection:
        return _only_row(connection, query + CHECKSUM)


def with_polars(landing: Path, as_of: date) -> Checksum:
    """Polars, lazy, on its streaming engine."""
    import polars as pl

    lines = pl.scan_parquet(_batches(landing, "transactions"), hive_partitioning=False).select(
        "order_id", "line_id", "customer_id", "ordered_at", "amount", "status", "loaded_at", "source_row"
    )
    customers = pl.scan_parquet(_batches(landing, "customers"), hive_partitioning=False).select("customer_id")
    key = ["order_id", "line_id"]
    repeated = lines.group_by(key).len().filter(pl.col("len") > 1).select(key).collect(engine="streaming")
    versions = lines.join(repeated.lazy(), on=key, how="semi").collect(engine="streaming")
    newest = versions.sort("loaded_at", "source_row").unique(key, keep="last")
    superseded = versions.join(newest, on=["loaded_at", "source_row"], how="anti").select("loaded_at", "source_row")
    is_purchase = (pl.col("status") != "returned") & (pl.col("amount") >= 0)
    cents = (pl.col("amount") * 100).cast(pl.Int64)
    orders = (
        lines.join(superseded.lazy(), on=["loaded_at", "source_row"], how="anti")
        .filter((pl.col("status") != "cancelled") & (pl.col("ordered_at") < pl.lit(as_of).cast(pl.Datetime)))
        .select(
            "order_id",
            "customer_id",
            pl.when(is_purchase).then(pl.col("ordered_at")).alias("purchased_at"),
            pl.when(pl.col("status") == "returned").then(-cents.abs()).otherwise(cents).alias("cents"),
        )
        .group_by("order_id", "customer_id")
        .agg(pl.col("purchased_at").min().cast(pl.Date).alias("day"), pl.col("cents").sum())
    )
    summary = (
        orders.join(customers, on="customer_id", how="semi")
        .group_by("customer_id")
        .agg(pl.col("day").max(), pl.col("day").count().cast(pl.Int64).alias("orders"), pl.col("cents").sum())
        .filter(pl.col("orders") > 0)
        .select(
            pl.col("customer_id").cast(pl.Int64).alias("number"),
            (pl.lit(as_of) - pl.col("day")).dt.total_days().alias("recency"),
            "orders",
            "cents",
        )
    )
    row = summary.select(
        pl.len(),
        pl.col("recency").sum(),
        pl.col("orders").sum(),
        pl.col("cents").sum(),
        (pl.col("cents") * (pl.col("number") % 1009)).sum().alias("weighted_cents"),
        ((pl.col("recency") * 1000 + pl.col("orders")) * (pl.col("number") % 997)).sum().alias("weighted_days"),
    ).collect(engine="streaming")
    return [int(value) for value in row.row(0)]


def with_pandas(landing: Path, as_of: date) -> Checksum:
    """pandas, all lines in memory."""
    import pandas as pd
    import pyarrow.parquet as pq

    columns = ["order_id", "line_id", "customer_id", "ordered_at", "amount", "status", "loaded_at", "source_row"]
    frames = []
    for file in _batches(landing, "transactions"):
        table = pq.ParquetFile(file).read(columns=columns)
        frame = table.drop_columns(["amount"]).to_pandas()
        # Decimals become Python objects in pandas, one by one; whole cents do not.
        frame["cents"] = table["amount"].cast("float64").to_pandas().mul(100).round().astype("int64")
        frames.append(frame)
    lines = pd.concat(frames, ignore_index=True)
    lines = lines.sort_values(["loaded_at", "source_row"]).drop_duplicates(["order_id", "line_id"], keep="last")
    customers = pd.concat([pq.ParquetFile(file).read(columns=["customer_id"]).to_pandas() for file in _batches(landing, "customers")])
    lines = lines[(lines["status"] != "cancelled") & (lines["ordered_at"] < pd.Timestamp(as_of))]
    lines = lines[lines["customer_id"].isin(customers["customer_id"])]
    is_returned = lines["status"] == "returned"
    purchased_at = lines["ordered_at"].where(~is_returned & (lines["cents"] >= 0))
    lines = lines.assign(cents=lines["cents"].where(~is_returned, -lines["cents"].abs()), purchased_at=purchased_at)
    orders = lines.groupby(["order_id", "customer_id"], sort=False).agg(day=("purchased_at", "min"), cents=("cents", "sum")).reset_index()
    orders["day"] = orders["day"].dt.normalize()
    summary = orders.groupby("customer_id", sort=False).agg(day=("day", "max"), orders=("day", "count"), cents=("cents", "sum"))
    summary = summary[summary["orders"] > 0]
    number = summary.index.to_series().astype("int64")
    recency = (pd.Timestamp(as_of) - summary["day"]).dt.days
    return [
        len(summary),
        int(recency.sum()),
        int(summary["orders"].sum()),
        int(summary["cents"].sum()),
        int((summary["cents"] * (number % 1009)).sum()),
        int(((recency * 1000 + summary["orders"]) * (number % 997)).sum()),
    ]


def with_the_models(models: CompiledModels) -> Checksum:
    """The SQL of the project's own models, from landed Parquet to customer_order_features, asked for these figures and stored nowhere."""
    with duckdb.connect(config={"temp_directory": tempfile.gettempdir()}) as connection:
        connection.execute(f"attach ':memory:' as {models.catalog}")
        models.prepare(connection)
        for node in models.upstream_of("customer_order_features"):
            models.create(connection, node, as_view=True)
        return _only_row(connection, OF_THE_MODELS.format(relation=models.relation("customer_order_features")) + CHECKSUM)


def of_a_database(database: Path) -> Checksum:
    """The checksum of the features that a build has written."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return _only_row(connection, OF_THE_MODELS.format(relation="features.customer_order_features") + CHECKSUM)


ENGINES: dict[str, Callable[[Path, date], Checksum]] = {"duckdb": with_duckdb, "polars": with_polars, "pandas": with_pandas}


def _only_row(connection: duckdb.DuckDBPyConnection, query: str) -> Checksum:
    return [int(value) for value in connection.execute(query).fetchall()[0]]
