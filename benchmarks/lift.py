"""Whether lift finds what was planted: the project's SQL and intervals on campaigns of the synthetic retailer, seed after seed.

`python -m benchmarks.lift` makes for each seed the customers, their orders and one campaign to an audience, measures it as a night does,
and counts how often the sign is right and how often the interval holds the planted truth. docs/audiences.md holds the numbers.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import click
import duckdb
from rich.console import Console

from orchestration.audiences.macros import Macros
from orchestration.lift.measuring import TABLES, write_measurements
from orchestration.settings import PROJECT_DIR
from orchestration.synthetic.generate import AS_OF_DATE, make_people, prepare, run_sql, with_audience_contacts

AUDIENCE = "lapsed_worth_reengaging"
CUSTOMERS, MONTHS = 6000, 12
BUCKET_SQL = with_audience_contacts(("permissions", "campaign_contacts", "order_days", "orders"))
MODELS = {
    "audience_lift_cells": "models/features/lift/audience_lift_cells.sql",
    "audience_lift": "models/audiences/shared/audience_lift.sql",
}


@dataclass(frozen=True)
class Found:
    """What was measured of one campaign, and what is true of it."""

    seed: int
    treated: int
    holdout: int
    verdict: str
    revenue_verdict: str
    response: tuple[float, float, float]
    """Difference, lower and upper end."""
    true_response: float
    revenue: tuple[float, float, float]
    true_revenue: float

    @property
    def is_response_covered(self) -> bool:
        """Whether the interval of the response holds the truth."""
        return self.response[1] <= self.true_response <= self.response[2]

    @property
    def is_revenue_covered(self) -> bool:
        """Whether the interval of the revenue holds the truth."""
        return self.revenue[1] <= self.true_revenue <= self.revenue[2]

    @property
    def has_right_sign(self) -> bool:
        """Whether the difference of the response has the sign of the truth."""
        return self.response[0] * self.true_response > 0

    @property
    def has_right_revenue_sign(self) -> bool:
        """The same of the revenue."""
        return self.revenue[0] * self.true_revenue > 0


@cache
def compiler() -> Macros:
    """The project's macros on the last day of the synthetic retailer; models go by their names."""
    return Macros({"as_of_date": AS_OF_DATE.isoformat(), "business_timezone": "Europe/Berlin"}, lambda model: model)


@cache
def compiled(model: str) -> str:
    """The SQL of one of the models of lift, as a night runs it."""
    return compiler().render((PROJECT_DIR / MODELS[model]).read_text(encoding="utf-8"))


def plant(connection: duckdb.DuckDBPyConnection, seed: int, customers: int, *, uplift: float | None = None) -> None:
    """Make the retailer of one seed, and the tables that lift reads.

    Members are whom the retailer chose, on the side that the project's own hash puts them. `uplift`: another one than in parameters.yml.
    """
    prepare(connection, customers, MONTHS, seed, audience_campaigns=True)
    if uplift is not None:
        connection.execute("set variable parameter_win_back_uplift = ?", [uplift])
    make_people(connection, 1, customers)
    run_sql(connection, BUCKET_SQL)
    side = compiler().call("is_in_holdout", "campaign.target_audience", "people.customer_id", "rules.holdout_limit")
    limit = compiler().call("audience_holdout_limit", 10)
    connection.execute(
        f"""
        create table thresholds as from '{PROJECT_DIR}/seeds/thresholds.csv';
        create table audience_rules as
            select '{AUDIENCE}' as audience_id, 'Lapsed' as name, 10.0 as holdout_percent, '{limit}' as holdout_limit;
        create table stg_campaigns as
            select campaign_id, campaign_number, campaign_name, starts_on, target_audience
            from campaign_list where campaign_type = 'win_back';
        create table recorded_campaign_members as
            select
                campaign.starts_on as as_of_date, campaign.campaign_id, campaign.target_audience as audience_id, people.customer_id,
                {side} as is_holdout, people.rhythm as value_tier
            from audience_chosen
            inner join stg_campaigns as campaign on audience_chosen.campaign_number = campaign.campaign_number
            inner join people on audience_chosen.n = people.n
            cross join audience_rules as rules;
        create table stg_campaign_contacts as
            select campaign_id, 'C' || (10000000 + n) as customer_id, cast(sent_at as date) as sent_date
            from chosen where not is_control;
        create table int_customer_days as
            select
                customer_id, day as order_date, count(*) as purchase_orders,
                cast(sum(cast(target_value as decimal(18, 2))) as decimal(18, 2)) as net_amount
            from plain_orders where status = 'completed' group by all;
        """
    )


def measure(connection: duckdb.DuckDBPyConnection) -> None:
    """What a night does: the sums, the intervals, the verdict (table audience_lift)."""
    connection.execute("create schema lift; " + ";".join(TABLES))
    connection.execute(f"create table audience_lift_cells as {compiled('audience_lift_cells')}")
    write_measurements(connection, "audience_lift_cells", 0.95)
    connection.execute("create view stg_lift_measurements as from lift.measurements")
    connection.execute(f"create table audience_lift as {compiled('audience_lift')}")


def truth(connection: duckdb.DuckDBPyConnection) -> tuple[float, float]:
    """What contacting everybody in the campaign would add: buyers as a share of the members, and net sales for each.

    A contact adds an order with a known probability. It makes a buyer of whoever would not have bought in the window anyway; it is worth
    the customer's mean order, as far as it is not cancelled.
    """
    ((buyers, revenue),) = connection.execute(
        """
        with limits as (
            select cast(value as integer) as window_days from thresholds where name = 'lift_response_window_days'
        ),
        last_campaign as (
            from stg_campaigns order by starts_on desc limit 1
        ),
        own_orders as (
            select distinct plain_orders.n
            from plain_orders
            cross join last_campaign as campaign
            cross join limits
            where
                plain_orders.status = 'completed'
                and coalesce(plain_orders.caused_by_message <> campaign.campaign_number * 2, true)
                and plain_orders.day >= campaign.starts_on
                and plain_orders.day < campaign.starts_on + limits.window_days
        )
        select
            avg(if(own_orders.n is null, chosen.true_uplift, 0)) * (1 - parameter('cancelled_order_share')),
            avg(chosen.true_uplift * people.mean_order_value) * (1 - parameter('cancelled_order_share'))
        from audience_chosen as chosen
        inner join last_campaign as campaign on chosen.campaign_number = campaign.campaign_number
        inner join people on chosen.n = people.n
        left join own_orders on chosen.n = own_orders.n
        """
    ).fetchall()
    return float(buyers), float(revenue)


def find(seed: int, customers: int = CUSTOMERS, *, uplift: float | None = None) -> Found:
    """Plant and measure the last campaign of one seed."""
    with duckdb.connect() as connection:
        plant(connection, seed, customers, uplift=uplift)
        measure(connection)
        cursor = connection.execute("select * from audience_lift order by starts_on desc limit 1")
        row: dict[str, Any] = dict(zip([column[0] for column in cursor.description or []], cursor.fetchone() or (), strict=True))
        true_response, true_revenue = truth(connection)
    return Found(
        seed=seed,
        treated=row["treated_customers"],
        holdout=row["holdout_customers"],
        verdict=row["verdict"],
        revenue_verdict=row["revenue_verdict"],
        response=_interval(row, "response_difference"),
        true_response=true_response,
        revenue=_interval(row, "revenue_difference"),
        true_revenue=true_revenue,
    )


def _interval(row: dict[str, Any], name: str) -> tuple[float, float, float]:
    """A difference with both ends; not a number where there is none."""
    difference, lower, upper = (row[name + end] for end in ("", "_lower", "_upper"))
    return tuple(float("nan") if value is None else float(value) for value in (difference, lower, upper))  # type: ignore[return-value]


def summary(found: Sequence[Found]) -> str:
    """How often lift was right, in a few lines. Means are of the seeds with a verdict on the response."""
    told = [one for one in found if one.verdict not in ("not_enough_yet", "not_comparable")]

    def count(what: Callable[[Found], bool]) -> str:
        return f"{sum(map(what, found))} of {len(found)}"

    def mean(what: Callable[[Found], float]) -> float:
        return sum(map(what, told)) / max(len(told), 1)

    verdicts = Counter(one.verdict for one in found)
    return "\n".join(
        [
            f"members treated {mean(lambda one: one.treated):,.0f}, held out {mean(lambda one: one.holdout):,.0f} (means)",
            f"response: truth {mean(lambda one: one.true_response):.4f}, measured {mean(lambda one: one.response[0]):.4f} (means)",
            f"response: right sign {count(lambda one: one.has_right_sign)}, truth inside {count(lambda one: one.is_response_covered)}, "
            f"both {count(lambda one: one.has_right_sign and one.is_response_covered)}",
            "response: " + ", ".join(f"{verdict} {times}" for verdict, times in sorted(verdicts.items())),
            f"revenue: truth {mean(lambda one: one.true_revenue):.3f}, measured {mean(lambda one: one.revenue[0]):.3f} a customer (means)",
            "revenue: right sign "
            f"{count(lambda one: one.has_right_revenue_sign)}, truth inside {count(lambda one: one.is_revenue_covered)}",
        ]
    )


@click.command()
@click.option("--seeds", default=100, show_default=True, help="How many retailers.")
@click.option("--customers", default=CUSTOMERS, show_default=True, help="Customers of each.")
@click.option("--uplift", default=None, type=float, help="Another planted uplift; 0 for a campaign that does nothing.")
def main(seeds: int, customers: int, uplift: float | None) -> None:
    """Measure a planted campaign of each seed."""
    console = Console()
    started = time.process_time()
    found = []
    for seed in range(1, seeds + 1):
        found.append(find(seed, customers, uplift=uplift))
        if seed % 10 == 0:
            console.print(f"{seed} of {seeds}", style="dim")
    console.print(summary(found))
    console.print(f"{(time.process_time() - started) / seeds:.2f} s of CPU a seed")


if __name__ == "__main__":
    main()
