"""The CDNOW sample (a tenth of the customers whose first purchase was in the first quarter of 1997), as the literature counts it.

The data is Fader and Hardie's; the package lifetimes ships it. Its own loader does not work with today's pandas, so the file is read.
"""

import importlib.util
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

from orchestration.prediction.gamma_gamma import OrderValues
from orchestration.prediction.states import Array, States

CALIBRATED_UNTIL = date(1997, 10, 1)  # 39 weeks
ENDS = date(1998, 7, 1)  # 39 weeks more
WEEK = 7.0


def sample_file() -> Path:
    """The orders, one line each: customer, customer within the sample, date, disks, dollars."""
    spec = importlib.util.find_spec("lifetimes")
    assert spec is not None and spec.origin is not None, "the development extra lifetimes is not installed"
    return Path(spec.origin).parent / "datasets" / "CDNOW_sample.txt"


def orders() -> list[tuple[int, date, float]]:
    """Customer, day and amount of every order."""
    rows = [line.split() for line in sample_file().read_text(encoding="utf-8").splitlines()]
    return [(int(row[1]), date.fromisoformat(f"{row[2][:4]}-{row[2][4:6]}-{row[2][6:8]}"), float(row[4])) for row in rows]


@dataclass(frozen=True)
class Cdnow:
    """The calibration, one state per customer in weeks; what repeat buyers spent in it; purchases of the holdout, and those of each day."""

    states: States
    values: OrderValues
    happened: Array
    first_purchases: Array
    repeat_purchases: Array


def read() -> Cdnow:
    """The whole sample."""
    connection = duckdb.connect()
    connection.execute("create table orders (customer integer, day date, amount double)")
    connection.executemany("insert into orders values (?, ?, ?)", orders())
    connection.execute("create table days as select customer, day, sum(amount) as amount from orders group by all")
    columns = connection.execute(
        """
        with firsts as (select customer, min(day) as first from days group by customer)
        select
            count(*) filter (where day > first and day < $until) as frequency,
            date_diff('day', any_value(first), max(day) filter (where day < $until)) as recency,
            date_diff('day', any_value(first), $until) - 1 as age,
            count(*) filter (where day >= $until) as happened,
            avg(amount) filter (where day > first and day < $until) as amount
        from days inner join firsts using (customer)
        group by customer order by customer
        """,
        {"until": CALIBRATED_UNTIL},
    ).fetchnumpy()
    frequency = columns["frequency"].astype(np.float64)
    came_back = frequency > 0
    amount = np.asarray(columns["amount"][came_back], dtype=np.float64)
    by_day = connection.execute(
        """
        with firsts as (select customer, min(day) as first from days group by customer)
        select
            date_diff('day', date '1997-01-01', day) as number,
            count(*) filter (where day = first) as first_purchases,
            count(*) filter (where day > first) as repeat_purchases
        from days inner join firsts using (customer)
        group by day
        """
    ).fetchnumpy()
    first_purchases, repeat_purchases = np.zeros((ENDS - date(1997, 1, 1)).days), np.zeros((ENDS - date(1997, 1, 1)).days)
    first_purchases[by_day["number"]] = by_day["first_purchases"]
    repeat_purchases[by_day["number"]] = by_day["repeat_purchases"]
    return Cdnow(
        States(frequency, columns["recency"] / WEEK, columns["age"] / WEEK, np.ones_like(frequency)),
        OrderValues(frequency[came_back], amount, np.log(amount), np.ones_like(amount)),
        columns["happened"].astype(np.float64),
        first_purchases,
        repeat_purchases,
    )
