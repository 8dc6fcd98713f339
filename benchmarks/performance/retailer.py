"""The benchmark's retailer: customers, products and order lines in the raw contract, made by SQL, the same rows for the same size.

    <folder>/history/<table>/*.parquet     everything up to FIRST_DAY, order lines in the order in which they were loaded
             delivery/<table>/*.parquet    what the night after brings
             retailer.json                 written last: which retailer this is

About 1.8 lines an order, two years, a few customers with most of the orders, and what real deliveries are like: rows sent twice, rows
corrected, orders that arrive up to eleven days late, refunds, cancellations, lines of customers nobody knows. The delivery has a
thousandth of the lines: orders of its day and late ones, corrections of old lines, new customers. Whatever the size, there are customers
who seldom buy: where there are more lines for each, the first ones place more of them.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb

from orchestration.sql import PARQUET, quote_literal

FIRST_DAY = date(2025, 1, 1)  # as_of_date of the night that begins
SECOND_DAY = FIRST_DAY + timedelta(days=1)
HISTORY_DAYS = 730
LINES_PER_ORDER = 1.79  # what ORDER_LINES below makes of it
DELIVERED_SHARE = 0.001
CORRECTED_SHARE_OF_DELIVERY = 0.05
LINES_PER_FILE = 12_500_000
ORDERS_OF_THE_RAREST = 2.54  # in two years, expected: the last customers place orders / customers / skew each
MEMORY_LIMIT = "4GB"
MARKER = "retailer.json"
SOURCE_YML = "name: benchmark\nbusiness_timezone: UTC\ncurrency: EUR\nvars: {{history_correction_days: {correction_days}}}\n"


@dataclass(frozen=True)
class Retailer:
    """How large a retailer is.

    Attributes:
        lines: order lines of the history, about.
        customers: known at its end.
        orders: of the history, numbered in the order of loading.
        new_orders: of the delivery.
        corrected_orders: old orders that the delivery brings again.
        new_customers: of the delivery.
        skew: how much the first customers place: the share of the first fifth is 0.2 to the power of 1 / skew.
        version: of this file's rows; kept data of another version is made again.
    """

    lines: int
    customers: int
    orders: int
    new_orders: int
    corrected_orders: int
    new_customers: int
    skew: float
    version: int = 2


def size(lines: int) -> Retailer:
    """A retailer of about so many order lines: ten lines a customer, twenty for the largest (5 million customers at most)."""
    customers = max(20, min(lines // 10, 5_000_000))
    orders = max(20, round(lines / LINES_PER_ORDER))
    delivered = max(10, round(orders * DELIVERED_SHARE))
    corrected = max(1, round(delivered * CORRECTED_SHARE_OF_DELIVERY))
    skew = round(orders / customers / ORDERS_OF_THE_RAREST, 2)
    return Retailer(lines, customers, orders, delivered - corrected, corrected, max(1, customers // 2000), skew)


# Numbers from 0 to below 1 that depend on their argument alone, as fine as a double is: with a million different ones, of five million
# customers four could never buy. One packed value is hashed: hash(a, b) is not uniform.
MACROS = """
create or replace macro draw(number, topic) as (hash(number * 64 + topic) >> 11) / 9007199254740992.0;
"""

CUSTOMERS = """
select
    customer::varchar as customer_id,
    -- Half of them signed up before the history begins; some buy before they do.
    timestamp '{first_day}' - interval '1' minute * (1 + floor(draw(customer, 1) * 1440 * {days} * 2)::integer) as signed_up_at,
    ['DE', 'DE', 'DE', 'AT', 'FR'][1 + floor(draw(customer, 2) * 5)::integer] as country
from range({first_customer}, {end_customer}) as customers (customer)
"""

PRODUCTS = """
select
    product::varchar as product_id,
    'product ' || product as product_name,
    'brand ' || product % 200 as brand,
    'department ' || (product % 40) % 8 as department,
    -- Every fortieth article has no category.
    case when product % 41 > 0 then 'category ' || product % 40 end as category,
    ['budget', 'standard', 'standard', 'premium'][1 + floor(draw(product, 3) * 4)::integer] as quality_tier,
    draw(product, 4) < 0.25 as is_private_label
from range(2000) as products (product)
"""

# `orders (order_number, loaded_minute, late_share, version)`: what is delivered, in the order of loading.
ORDER_LINES = """
with
    orders as ({orders}),

    dated as (
        select
            order_number,
            version,
            timestamp '{first_day}' + interval '1' minute * (
                loaded_minute
                - case when draw(order_number, 5) < late_share then floor(draw(order_number, 6) * 11 * 1440)::integer else 0 end
            ) as ordered_at,
            -- The first in number buy the most: of ten lines a customer, half of the orders come from a fifth of the customers.
            -- One in two thousand is nobody known.
            case
                when draw(order_number, 7) < 0.0005 then 'unknown ' || order_number % 100
                else floor({customers} * pow(draw(order_number, 8), {skew}))::bigint::varchar
            end as customer_id,
            case
                when draw(order_number, 9) < 0.55 then 1
                when draw(order_number, 9) < 0.80 then 2
                when draw(order_number, 9) < 0.90 then 3
                when draw(order_number, 9) < 0.96 then 4
                else 5
            end as line_count,
            ['store', 'store', 'web', 'app'][1 + floor(draw(order_number, 10) * 4)::integer] as channel,
            ['card', 'card', 'cash', 'wallet', 'invoice'][1 + floor(draw(order_number, 11) * 5)::integer] as payment_method,
            draw(order_number, 12) < 0.01 as is_cancelled
        from orders
    ),

    lines as (
        select
            dated.*,
            unnest(range(1, line_count + 1)) as line_number
        from dated
    ),

    drawn as (
        select
            *,
            order_number * 8 + line_number as line_key
        from lines
    ),

    -- Five rows in a thousand are sent twice, half of them with another amount.
    sent as (
        select
            *,
            unnest(range(case when draw(line_key, 13) < 0.005 then 2 else 1 end)) as copy_number
        from drawn
    ),

    priced as (
        select
            *,
            floor(2000 * pow(draw(line_key, 14), 1.7))::integer as product,
            1 + floor(3 * pow(draw(line_key, 15), 3))::integer as quantity,
            -- The first copy has the price of the version, the second has it again or another.
            version + case when draw(line_key, 16) < 0.5 then copy_number else 0 end as price_number,
            draw(line_key, 18) as promotion_draw,
            draw(line_key, 19) < 0.01 as is_refund,
            draw(line_key, 20) < 0.02 as is_returned
        from sent
    ),

    -- From 0.20 to 80 a piece, most of them cheap.
    counted as (
        select
            *,
            quantity * (20 + floor(8000 * pow(draw(line_key + price_number * 16777216, 17), 2))::integer) as cents
        from priced
    )

select
    order_number::varchar as order_id,
    line_number::varchar as line_id,
    customer_id,
    ordered_at,
    (case when is_refund then -cents else cents end * 0.01)::decimal(18, 2) as amount,
    product::varchar as product_id,
    quantity::decimal(18, 3) as quantity,
    (case when promotion_draw < 0.30 and not is_refund then floor(cents * 0.2) * 0.01 else 0 end)::decimal(18, 2) as discount_amount,
    (case when promotion_draw < 0.05 and not is_refund then 1 else 0 end)::decimal(18, 2) as coupon_amount,
    (floor(cents * 0.6) * 0.01)::decimal(18, 2) as cost_amount,
    channel,
    payment_method,
    case when is_cancelled then 'cancelled' when is_returned then 'returned' else 'completed' end as status
from counted
"""

HISTORY_ORDERS = """
select
    order_number,
    -- The shop grows by a half in two years: more orders in its last days than in its first.
    -{days} * 1440 + floor({days} * 1440 * pow((order_number + 1) / ({all_orders} + 1.0), 0.85))::integer as loaded_minute,
    0.01 as late_share,
    0 as version
from range({first_order}, {end_order}) as numbers (order_number)
"""

DELIVERED_ORDERS = """
select
    order_number,
    floor((order_number - {all_orders}) * 1440 / {new_orders})::integer as loaded_minute,
    0.2 as late_share,
    0 as version
from range({all_orders}, {all_orders} + {new_orders}) as numbers (order_number)
"""


def make(folder: Path, retailer: Retailer) -> None:
    """Write the retailer below a folder, in pieces small enough that memory does not grow with the lines."""
    shutil.rmtree(folder, ignore_errors=True)
    known, all_customers = retailer.customers, retailer.customers + retailer.new_customers
    history, delivery = folder / "history", folder / "delivery"
    delivered = DELIVERED_ORDERS.format(all_orders=retailer.orders, new_orders=retailer.new_orders)
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT}) as connection:
        connection.execute(MACROS)
        _write(connection, history / "products/0001.parquet", PRODUCTS)
        _write(connection, history / "customers/0001.parquet", customers(0, known))
        _write(connection, delivery / "customers/0001.parquet", customers(known, all_customers))
        for number, (first_order, end_order) in enumerate(files(retailer), start=1):
            orders = placed(retailer, first_order, end_order)
            _write(connection, history / f"transactions/{number:04d}.parquet", order_lines(orders, known, retailer.skew))
        _write(connection, delivery / "transactions/0001.parquet", order_lines(delivered, all_customers, retailer.skew))
        _write(connection, delivery / "transactions/0002_corrected.parquet", order_lines(corrected(retailer), known, retailer.skew))
    (folder / MARKER).write_text(json.dumps(asdict(retailer)), encoding="utf-8")


def files(retailer: Retailer) -> list[tuple[int, int]]:
    """First and end order of each file of the history: eight files, more where one would be large."""
    count = max(8, -(-retailer.lines // LINES_PER_FILE))
    return list(pairwise(retailer.orders * number // count for number in range(count + 1)))


def customers(first: int, end: int) -> str:
    """The customers of these numbers."""
    return CUSTOMERS.format(first_customer=first, end_customer=end, first_day=FIRST_DAY, days=HISTORY_DAYS)


def placed(retailer: Retailer, first: int, end: int) -> str:
    """The orders of the history of these numbers."""
    return HISTORY_ORDERS.format(first_order=first, end_order=end, all_orders=retailer.orders, days=HISTORY_DAYS)


def order_lines(orders: str, known_customers: int, skew: float) -> str:
    """The lines of orders (a query, see ORDER_LINES), placed by so many customers, the more unevenly the larger the skew."""
    return ORDER_LINES.format(orders=orders, customers=known_customers, skew=skew, first_day=FIRST_DAY)


def corrected(retailer: Retailer) -> str:
    """The old orders that the delivery brings again with other amounts, spread over the whole history, as they were placed."""
    step = max(1, retailer.orders // retailer.corrected_orders)
    history = placed(retailer, 0, retailer.orders)
    return f"select order_number, loaded_minute, late_share, 1 as version from ({history}) where order_number % {step} = {step // 2}"


def is_made(folder: Path, retailer: Retailer) -> bool:
    """Whether a folder holds this very retailer, complete."""
    marker = folder / MARKER
    return marker.is_file() and json.loads(marker.read_text(encoding="utf-8")) == asdict(retailer)


def describe(source: Path, correction_days: int = 0) -> None:
    """Say what the source is, and how far back its nights correct days of the past."""
    source.mkdir(parents=True, exist_ok=True)
    (source / "source.yml").write_text(SOURCE_YML.format(correction_days=correction_days), encoding="utf-8")


def link(part: Path, source: Path) -> None:
    """Put the files of a part (history or delivery) into a source folder, without copying them: `<part>_<file>` of each table."""
    describe(source)
    order = {"history": 1, "delivery": 2}[part.name]
    for file in sorted(part.rglob("*.parquet")):
        target = source / file.parent.name / f"{order}_{part.name}_{file.name}"
        target.parent.mkdir(exist_ok=True)
        target.hardlink_to(file)


def _write(connection: duckdb.DuckDBPyConnection, file: Path, query: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    connection.execute(f"copy ({query}) to {quote_literal(str(file))} ({PARQUET})")
