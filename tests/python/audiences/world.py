"""A small world that both sides read: the same rows for the evaluator and, as tables of a DuckDB database, for the compiled SQL."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import yaml

from orchestration.audiences.macros import Macros
from tests.python.audiences.evaluator import World

# The columns of the models that tests write; what a test does not say is null.
TABLES = {
    "current_profiles": "customer_id varchar, as_of_date date, country varchar, home_store_id varchar, order_count bigint, "
    "net_amount decimal(18, 2), last_order_date date, is_member boolean, rfm_segment varchar",
    "int_orders": "customer_id varchar, order_id varchar, ordered_at timestamp, order_date date, is_purchase boolean, "
    "net_amount decimal(18, 2), units decimal(18, 3), store_id varchar, channel varchar, has_coupon boolean",
    "int_order_lines": "customer_id varchar, order_id varchar, product_id varchar, ordered_at timestamp, order_date date, "
    "is_purchase_line boolean, purchased_amount decimal(18, 2), returned_amount decimal(18, 2), channel varchar",
    "stg_products": "product_id varchar, brand varchar, department varchar, category varchar, quality_tier varchar, "
    "is_private_label boolean",
    "stg_web_events": "customer_id varchar, event_id varchar, occurred_at timestamp, occurred_date date, event_name varchar, "
    "category varchar, channel varchar",
    "stg_campaign_contacts": "customer_id varchar, sent_at timestamp, sent_date date, opened_at timestamp, opened_date date, "
    "clicked_at timestamp, clicked_date date, campaign_id varchar, channel varchar",
}
FEATURES = ("country", "home_store_id", "order_count", "net_amount", "last_order_date", "is_member")
PRODUCTS = {"p1": ("coffee", "arabica"), "p2": ("tea", "assam"), "p3": (None, None)}


def connect() -> duckdb.DuckDBPyConnection:
    """An empty database with every table."""
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("set timezone = 'UTC'")
    for table, columns in TABLES.items():
        connection.execute(f"create table {table} ({columns})")
    for product, (category, brand) in PRODUCTS.items():
        connection.execute("insert into stg_products values (?, ?, null, ?, null, null)", [product, brand, category])
    return connection


def business_date(at: datetime | None, zone: ZoneInfo) -> date | None:
    """The day that the clock of the zone showed."""
    return None if at is None else at.replace(tzinfo=UTC).astimezone(zone).date()


def build_world(
    day: date,
    zone: str,
    customers: Mapping[str, Mapping[str, Any]],
    orders: Iterable[Mapping[str, Any]] = (),
    lines: Iterable[Mapping[str, Any]] = (),
    web: Iterable[Mapping[str, Any]] = (),
    messages: Iterable[Mapping[str, Any]] = (),
    definitions: Mapping[str, Mapping[str, Any]] | None = None,
) -> World:
    """The world as the evaluator sees it. Rows have the columns of their tables, less the dates."""
    clock = ZoneInfo(zone)
    everybody = {name: {**dict.fromkeys([*FEATURES, "rfm"]), **features} for name, features in customers.items()}
    events: dict[str, dict[str, list[dict[str, Any]]]] = {
        kind: {} for kind in ("purchase", "item_purchase", "item_return", "web_event", "message_sent", "message_opened")
    }

    def add(kind: str, row: Mapping[str, Any], at: datetime | None, **fields: Any) -> None:
        events[kind].setdefault(row["customer_id"], []).append({"at": at, "date": business_date(at, clock), **fields})

    for row in orders:
        if row["is_purchase"]:
            fields = {"amount": row["net_amount"], "units": row["units"], "store": row["store_id"], "channel": row["channel"]}
            add("purchase", row, row["ordered_at"], **fields, has_coupon=row["has_coupon"])
    for row in lines:
        category, brand = PRODUCTS.get(row["product_id"], (None, None))
        kind, amount = ("item_purchase", "purchased_amount") if row["is_purchase_line"] else ("item_return", "returned_amount")
        fields = {"product": row["product_id"], "category": category, "brand": brand, "order": row["order_id"], "amount": row[amount]}
        add(kind, row, row["ordered_at"], **fields, channel=row["channel"])
    for row in web:
        add("web_event", row, row["occurred_at"], name=row["event_name"], category=row["category"], channel=row["channel"])
    for row in messages:
        fields = {"campaign": row["campaign_id"], "channel": row["channel"]}
        add("message_sent", row, row["sent_at"], **fields)
        add("message_opened", row, row["opened_at"], **fields)
    return World(day, clock, everybody, events, definitions or {})


def write_world(connection: duckdb.DuckDBPyConnection, world: World, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """The same world as tables. `rows` holds the rows of the event tables, by table."""
    for table in TABLES:
        if table != "stg_products":
            connection.execute(f"delete from {table}")
    profiles = [
        {"customer_id": name, "as_of_date": world.day, "rfm_segment": said["rfm"], **{feature: said[feature] for feature in FEATURES}}
        for name, said in world.customers.items()
    ]
    insert(connection, "current_profiles", profiles)
    for table, table_rows in rows.items():
        insert(connection, table, [{**row, **dates_of(row, world.zone)} for row in table_rows])


def dates_of(row: Mapping[str, Any], zone: ZoneInfo) -> dict[str, date | None]:
    """The business days of the times of a row, as staging names them."""
    times = {column: at for column, at in row.items() if column.endswith("_at")}
    return {"order_date" if name == "ordered_at" else name[:-3] + "_date": business_date(at, zone) for name, at in times.items()}


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows that all have the same columns."""
    if not rows:
        return
    marks = ", ".join([f"({', '.join('?' * len(rows[0]))})"] * len(rows))
    values = [str(value) if isinstance(value, Decimal) else value for row in rows for value in (row[column] for column in rows[0])]
    connection.execute(f"insert into {table} ({', '.join(rows[0])}) values {marks}", values)


def compiled_members(connection: duckdb.DuckDBPyConnection, world: World) -> dict[str, set[str]]:
    """Who the compiled SQL says is in each audience: one table of facts for all of them, as in a night."""
    macros = macros_of(world)
    definitions = macros.call("audience_definitions")
    facts = macros.call("audience_facts_query", macros.call("audience_plan", definitions))
    connection.execute(f"create or replace temp table audience_facts as {facts}")
    members = {}
    for name, definition in definitions.items():
        predicate = macros.call("audience_condition", definition["members"], macros.call("audience_new_plan"), definitions, [name])
        found = connection.execute(f"select customer_id from audience_facts where {predicate}").fetchall()
        members[name] = {customer for (customer,) in found}
    return members


def macros_of(world: World, engine: str = "default") -> Macros:
    """The real macros, on the day and in the zone of a world."""
    texts = {name: yaml.safe_dump(definition, sort_keys=False, allow_unicode=True) for name, definition in world.definitions.items()}
    variables = {"as_of_date": world.day.isoformat(), "business_timezone": str(world.zone)}
    return Macros(variables, lambda model: model, engine=engine, definitions=texts)
