"""What thirty audiences cost beside one: the compiled SQL on made-up customers and events, nothing of dbt or Dagster in the clock.

    python -m benchmarks.audiences --customers 1000000 --events 20000000

The thirty are the shipped audiences (what they ask of features and segments is answered by made-up columns) and variations on every
construct, so that they ask for different things. Each is built alone as well. Two things are compared, the middle of three runs each:

- the published memberships as a night makes them: the facts, who may be contacted, and who is in, with priority, consent and holdout;
- their conditions alone: the facts and who is in, and nothing that all audiences need anyway.

The ratios are against the mean and the median of one, the dearest, which reads every order as the thirty do, and the sum, which is what
separate scans would cost. Times are CPU seconds of this process, all threads: machines are shared.
"""

import argparse
import resource
import shutil
import statistics
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import yaml

from orchestration.audiences.definitions import read_definitions
from orchestration.audiences.macros import Macros
from orchestration.settings import PROJECT_DIR
from orchestration.sql import quote_identifier, quote_literal

VARIABLES = {"as_of_date": "2026-01-01", "business_timezone": "UTC"}
TARGET = 5.0
RUNS = 3
MODELS = PROJECT_DIR / "models" / "audiences" / "shared"
RULE_TABLES = ("thresholds", "contact_channels", "contact_limits")
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


@dataclass(frozen=True)
class Cost:
    """CPU seconds of some audiences: conditions alone, published memberships but for who may be contacted. And how many they are."""

    conditions: float
    memberships: float
    members: int


def variants() -> dict[str, dict[str, Any]]:
    """Thirty definitions."""
    shipped = {definition.name: definition.content for definition in read_definitions()}
    chosen = dict(list(shipped.items())[:11])
    for number, members in enumerate(yaml.safe_load(MORE)):
        described = {"name": f"Variation {number}", "description": "One of many.", "owner": "nobody", "last_reviewed": date(2026, 1, 15)}
        chosen[f"variation_{number:02}"] = {**described, "channel": "email", "holdout_percent": 10, "members": members}
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
        f"""create table current_profiles as select customer_id, date '{VARIABLES["as_of_date"]}' as as_of_date, {", ".join(columns)}
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
        case when hash(range) % 5 = 0 then cast(sent_at as date) end as clicked_date,
        case when hash(range) % 50 = 0 then sent_at + interval 2 hour end as unsubscribed_at,
        case when hash(range) % 50 = 0 then cast(sent_at + interval 2 hour as date) end as unsubscribed_date""",
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


def make_permissions(connection: duckdb.DuckDBPyConnection) -> None:
    """What customers allow: nine in ten e-mail, half of these everything; one in twenty took it back. Four in five have an address."""
    connection.execute(
        """create table stg_consents as
        with changes as (
            select customer_id, 'marketing' as purpose, if(hash(customer_id) % 2 = 0, 'any', 'email') as channel, true as is_granted,
                timestamp '2024-01-01' + to_seconds((hash(customer_id) % 30000000)::bigint) as changed_at
            from current_profiles where hash(customer_id) % 10 > 0
            union all
            select customer_id, 'marketing', 'email', false, timestamp '2025-06-01' + to_seconds((hash(customer_id) % 10000000)::bigint)
            from current_profiles where hash(customer_id) % 20 = 1
        ) select *, cast(changed_at as date) as changed_date from changes"""
    )
    connection.execute(
        """create table stg_customers as select customer_id, if(hash(customer_id) % 5 > 0, customer_id || '@example.com', null) as email,
        if(hash(customer_id) % 3 > 0, '+49170' || right(customer_id, 8), null) as phone from current_profiles"""
    )
    connection.execute("create table stg_campaigns as select 'c1' as campaign_id, 'email' as channel")
    connection.execute(
        """create table stg_erasure_requests as select customer_id, date '2025-01-01' as requested_date
        from current_profiles where hash(customer_id) % 1000 = 0"""
    )
    connection.execute("create table unreadable_refusals as select customer_id from current_profiles where hash(customer_id) % 10000 = 0")
    for table in RULE_TABLES:
        connection.execute(f"create table {table} as from read_csv({quote_literal(str(PROJECT_DIR / 'seeds' / f'{table}.csv'))})")


def macros_of(definitions: Mapping[str, Mapping[str, Any]], folder: Path) -> Macros:
    """The project's macros as they are with these audiences and no others."""
    own = Path(tempfile.mkdtemp(dir=folder)) / "macros"
    shutil.copytree(PROJECT_DIR / "macros", own)
    (own / "audiences" / "audiences.sql").write_text(f"{{% macro audiences() -%}}{{{{ return({list(definitions)}) }}}}{{%- endmacro %}}")
    texts = {name: yaml.safe_dump(definition) for name, definition in definitions.items()}
    return Macros(VARIABLES, lambda model: model, definitions=texts, folder=own)


def make_model(connection: duckdb.DuckDBPyConnection, macros: Macros, model: str) -> None:
    """A model of the audiences, as a table."""
    connection.execute(f"create or replace table {model} as {macros.render((MODELS / f'{model}.sql').read_text())}")


def build(connection: duckdb.DuckDBPyConnection, definitions: Mapping[str, Mapping[str, Any]], folder: Path) -> Cost:
    """Facts and memberships of some audiences, written: the middle of three runs."""
    macros = macros_of(definitions, folder)

    def facts() -> None:
        make_model(connection, macros, "audience_facts")
        compiled = macros.call("audience_definitions")
        for name, definition in compiled.items():
            condition = macros.call("audience_condition", definition["members"], macros.call("audience_new_plan"), compiled, [name])
            connection.execute(
                f"""create or replace view {quote_identifier(name)} as
                select customer_id, as_of_date from audience_facts where {condition}"""
            )

    def conditions() -> None:
        facts()
        connection.execute(f"create or replace table member_rows as {macros.call('audience_member_rows')}")

    def memberships() -> None:
        facts()
        for model in ("audience_rules", "audience_memberships"):
            make_model(connection, macros, model)

    spent = middle(conditions), middle(memberships)
    counted = connection.execute("select count(*) from audience_memberships").fetchone()
    return Cost(*spent, members=int(counted[0]) if counted else 0)


def middle(work: Callable[[], None]) -> float:
    """CPU seconds of some work: the middle of three runs."""
    spent = []
    for _ in range(RUNS):
        begun = cpu_seconds()
        work()
        spent.append(cpu_seconds() - begun)
    return statistics.median(spent)


def main() -> None:
    """Print the times and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=20_000_000)
    arguments = parser.parse_args()
    definitions = variants()
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "audiences.duckdb")) as connection:
        connection.execute("set timezone = 'UTC'")
        macros = Macros(VARIABLES, lambda model: model)
        make_tables(connection, arguments.customers, arguments.events, macros)
        make_permissions(connection)
        contactability = middle(lambda: make_model(connection, macros, "audience_contactability"))
        alone = {name: build(connection, {name: definition}, Path(folder)) for name, definition in definitions.items()}
        together = build(connection, definitions, Path(folder))
    print("CPU seconds: published memberships, conditions alone")
    rows = sorted(alone.items(), key=lambda item: item[1].memberships)
    for name, cost in [*rows, (f"all {len(definitions)} together, {together.members:,} memberships", together)]:
        print(f"  {contactability + cost.memberships:8.2f} {cost.conditions:8.2f}  {name}")
    print(f"{arguments.customers:,} customers, {arguments.events:,} events, together against one (at most {TARGET:g})")
    whole = [contactability + cost.memberships for cost in alone.values()]
    conditions = [cost.conditions for cost in alone.values()]
    ones: list[tuple[str, Callable[[list[float]], float]]] = [
        ("the mean", statistics.mean),
        ("the median", statistics.median),
        ("the dearest", max),
        ("the sum", sum),
    ]
    for what, one in ones:
        print(f"  {(contactability + together.memberships) / one(whole):8.2f} {together.conditions / one(conditions):8.2f}  {what}")


if __name__ == "__main__":
    main()
