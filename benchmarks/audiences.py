"""What thirty audiences cost beside one: the compiled SQL on made-up customers and events, nothing of dbt or Dagster in the clock.

    python -m benchmarks.audiences --customers 1000000 --events 20000000

The thirty are the shipped audiences (what they ask of features and segments is answered by made-up columns) and variations on every
construct, so that they ask for different things. Each is built alone as well: the ratios are against the mean and the median of one, the
dearest, which reads every order as the thirty do, and the sum, which is what separate scans would cost. Times are CPU seconds of this
process, all threads: machines are shared.
"""

import argparse
import resource
import statistics
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import yaml

from orchestration.audiences.definitions import read_definitions
from orchestration.audiences.macros import Macros

AS_OF_DATE = "2026-01-01"
TARGET = 5.0
# Filters and thresholds that differ from audience to audience: no two ask for the same aggregate.
MORE = """
- {done: purchase, where: {channel: web}, last: 30 days, count: {at_least: 2}}
- {done: purchase, last: 60 days, sum: {of: amount, at_least: 120}}
- {done: purchase, where: {channel: store}, last: 180 days, average: {of: amount, above: 40}}
- {all: [{done: web_event, where: {name: cart_add}, last: 3 days}, {not_done: purchase, last: 3 days}]}
- {done: web_event, where: {category: coffee}, last: 45 days, count: {at_least: 3}}
- {done: web_event, last: 36 hours}
- {done: web_event, weekdays: [saturday, sunday], last: 90 days, count: {at_least: 5}}
- {done: web_event, local_time: '18:00-22:00', last: 90 days, count: {at_least: 4}}
- {done: purchase, every_month_of: 6}
- {done: purchase, came_back_after: 90 days, last: 30 days}
- {sequence: [{done: web_event, where: {name: cart_add}}, {done: purchase}], within: 1 day, last: 30 days}
- {done: purchase, first_time: {last: 60 days}}
- {done: purchase, last_time: {from: 120 days ago, until: 60 days ago}}
- {done: purchase, last: 90 days, sum: {of: amount, top_percent: 5}}
- {done: purchase, last: 1 year, sum: {of: amount, top: 50, within: home_store_id}}
- {done: purchase, last: 1 year, distinct: {of: channel, at_least: 2}}
- {done: message_opened, last: 30 days, count: {at_least: 2}}
- {all: [{done: message_sent, last: 30 days}, {not_done: message_clicked, last: 30 days}]}
- {done: purchase, since: 2025-11-20, before: 2025-12-01}
"""


def variants() -> dict[str, dict[str, Any]]:
    """Thirty definitions."""
    shipped = {definition.name: definition.content for definition in read_definitions()}
    chosen = dict(list(shipped.items())[:11])
    for number, members in enumerate(yaml.safe_load(MORE)):
        chosen[f"variation_{number:02}"] = {"members": members}
    return dict(list(chosen.items())[:30])


def cpu_seconds() -> float:
    """CPU time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def make_tables(connection: duckdb.DuckDBPyConnection, customers: int, events: int, macros: Macros) -> None:
    """Customers with features and segments, and two years of events: 3 of 10 orders, 1 lines, 5 web events, 1 messages."""
    columns = [f"{made_up(name, kind)} as {name}" for name, kind in macros.call("audience_features").items()]
    columns += [
        f"'segment_' || hash(customer_id || '{segmentation}') % 6 as {segmentation}_segment"
        for segmentation in macros.call("segmentations")
    ]
    connection.execute(
        f"""create table current_profiles as select customer_id, date '{AS_OF_DATE}' as as_of_date, {", ".join(columns)}
        from (select 'c' || lpad(range::varchar, 9, '0') as customer_id from range(?))""",
        [customers],
    )
    happened = "timestamp '2024-01-01' + to_seconds((hash(range * 7 + {0}) % 63072000)::bigint)"
    who = "'c' || lpad((floor(pow(hash(range * 3 + {0}) / 18446744073709551616.0, 2) * {1}))::bigint::varchar, 9, '0')"

    def event_table(name: str, share: float, at: str, day: str, columns: str) -> None:
        salt = len(name)
        drawn = (
            f"select range, {who.format(salt, customers)} as customer_id, {happened.format(salt)} as {at} from range({int(events * share)})"
        )
        connection.execute(
            f"create table {name} as select customer_id, {at}, cast({at} as date) as {day}, {columns} from ({drawn}) order by {at}"
        )

    channel = "['web', 'store', 'app'][1 + (hash(range) % 3)::bigint] as channel"
    event_table(
        "int_orders",
        0.3,
        "ordered_at",
        "order_date",
        f"""{channel}, range::varchar as order_id, true as is_purchase, 's' || hash(range) % 50 as store_id,
        hash(range) % 9 = 0 as has_coupon,
        cast((hash(range) % 10000) / 100.0 as decimal(18, 2)) as net_amount""",
    )
    event_table(
        "int_order_lines",
        0.1,
        "ordered_at",
        "order_date",
        f"""{channel}, range::varchar as order_id, 'p' || hash(range) % 500 as product_id, true as is_purchase_line,
        cast(5 as decimal(18, 2)) as purchased_amount""",
    )
    event_table(
        "stg_web_events",
        0.5,
        "occurred_at",
        "occurred_date",
        f"""{channel}, ['visit', 'product_view', 'cart_add', 'checkout_start'][1 + (hash(range) % 4)::bigint] as event_name,
        ['coffee', 'tea', 'wine'][1 + (hash(range + 1) % 3)::bigint] as category""",
    )
    event_table(
        "stg_campaign_contacts",
        0.1,
        "sent_at",
        "sent_date",
        """'email' as channel, 'c1' as campaign_id, sent_at + interval 1 hour as opened_at, cast(sent_at as date) as opened_date,
        case when hash(range) % 5 = 0 then sent_at end as clicked_at,
        case when hash(range) % 5 = 0 then cast(sent_at as date) end as clicked_date""",
    )
    connection.execute(
        """create table stg_products as select 'p' || range as product_id, 'b' as brand, 'd' as department,
        ['coffee', 'tea'][1 + range % 2] as category, 'standard' as quality_tier, false as is_private_label from range(500)"""
    )


def made_up(name: str, kind: str) -> str:
    """A column of a feature."""
    mixed = f"hash(customer_id || '{name}')"
    return {
        "number": f"cast({mixed} % 1000 as decimal(18, 2))",
        "text": f"'value_' || {mixed} % 40",
        "boolean": f"{mixed} % 2 = 0",
        "date": f"date '2025-12-31' - ({mixed} % 700)::integer",
    }[kind]


def build(connection: duckdb.DuckDBPyConnection, definitions: dict[str, dict[str, Any]]) -> tuple[float, int]:
    """Facts and memberships of some audiences, written: CPU seconds, and members of all."""
    texts = {name: yaml.safe_dump(definition) for name, definition in definitions.items()}
    macros = Macros({"as_of_date": AS_OF_DATE, "business_timezone": "UTC"}, lambda model: model, definitions=texts)
    begun = cpu_seconds()
    compiled = macros.call("audience_definitions")
    facts = macros.call("audience_facts_query", macros.call("audience_plan", compiled))
    connection.execute(f"create or replace table audience_facts as {facts}")
    members = " union all ".join(
        f"select customer_id, '{name}' as audience_id from audience_facts where "
        + macros.call("audience_condition", definition["members"], macros.call("audience_new_plan"), compiled, [name])
        for name, definition in compiled.items()
    )
    connection.execute(f"create or replace table audience_memberships as {members}")
    spent = cpu_seconds() - begun
    counted = connection.execute("select count(*) from audience_memberships").fetchone()
    return spent, int(counted[0]) if counted else 0


def main() -> None:
    """Print the times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=20_000_000)
    arguments = parser.parse_args()
    definitions = variants()
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "audiences.duckdb")) as connection:
        connection.execute("set timezone = 'UTC'")
        macros = Macros({"as_of_date": AS_OF_DATE, "business_timezone": "UTC"}, lambda model: model)
        make_tables(connection, arguments.customers, arguments.events, macros)
        alone = {name: build(connection, {name: definition})[0] for name, definition in definitions.items()}
        together, members = build(connection, definitions)
    for name, seconds in sorted(alone.items(), key=lambda item: item[1]):
        print(f"  {seconds:8.2f} s  {name}")
    print(f"  {together:8.2f} s  all {len(definitions)} together, {members:,} memberships")
    print(f"{arguments.customers:,} customers, {arguments.events:,} events, together against")
    print(f"  {together / statistics.mean(alone.values()):6.2f}  the mean of one (at most {TARGET:g})")
    print(f"  {together / statistics.median(alone.values()):6.2f}  the median of one")
    print(f"  {together / max(alone.values()):6.2f}  the dearest one")
    print(f"  {together / sum(alone.values()):6.2f}  the sum of all alone")


if __name__ == "__main__":
    main()
