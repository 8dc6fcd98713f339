"""What was planted can be found again in the data by simple SQL, and the data is a retailer's: few customers bring most of the money."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.synthetic import generate
from orchestration.synthetic.parameters import load_parameters

NUMBERS = load_parameters()["numbers"]
KEYS = {
    "customers": "customer_id",
    "transactions": "order_id, line_id",
    "campaign_contacts": "contact_id",
    "coupon_redemptions": "redemption_id",
    "loyalty_ledger": "entry_id",
    "web_events": "event_id",
    "support_tickets": "ticket_id",
    "survey_answers": "customer_id, question, answered_at",
    "consents": "customer_id, purpose, channel, changed_at",
    "erasure_requests": "customer_id, requested_at",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("made") / "retailer", customers=4000, months=24, seed=11).folder


@pytest.fixture(scope="module")
def data(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Views on the newest usable versions (the few rows typed by hand left out), the truth, purchase lines and orders."""
    with duckdb.connect() as connection:
        for name in ("customer_truth", "campaign_assignments", "campaign_truth", "holiday_windows", "survey_traits"):
            connection.execute(f"create table {name} as from '{folder}/truth/{name}.parquet'")
        for name, key in KEYS.items():
            connection.execute(
                f"create table {name} as select * exclude (filename) from ("
                f"select distinct on ({key}) * from read_parquet('{folder}/{name}/*.parquet', filename = true) "
                f"semi join customer_truth using (customer_id) order by {key}, filename desc)"
            )
        connection.execute(f"create table products as select distinct on (product_id) * from '{folder}/products/*.parquet' order by all")
        connection.execute("delete from transactions where order_id is null or order_id like 'X%'")
        connection.execute("update transactions set status = lower(status), channel = lower(trim(channel))")
        connection.execute("create view lines as select * from transactions where status = 'completed' and amount >= 0")
        connection.execute(
            "create view orders as select customer_id, order_id, min(ordered_at) as ordered_at, any_value(channel) as channel, "
            "any_value(payment_method) as payment_method, sum(amount) as amount from lines group by customer_id, order_id"
        )
        yield connection


def _one(data: duckdb.DuckDBPyConnection, query: str) -> tuple[float, ...]:
    (row,) = data.execute(query).fetchall()
    return tuple(float(value) for value in row)


def _by_group(data: duckdb.DuckDBPyConnection, query: str) -> dict[str, float]:
    return {str(group): float(value) for group, value in data.execute(query).fetchall()}


def test_there_is_one_row_of_truth_for_every_customer(data: duckdb.DuckDBPyConnection) -> None:
    assert _one(data, "select count(*), count(distinct customer_id), count(distinct customer_number) from customer_truth") == (4000,) * 3
    assert _one(data, "select count(*) from customers anti join customer_truth using (customer_id)") == (0,)


def test_few_customers_bring_most_of_the_money_and_baskets_are_small(data: duckdb.DuckDBPyConnection) -> None:
    (top_fifth,) = _one(
        data,
        "with money as (select customer_id, sum(amount) as amount from orders group by all), "
        "ranked as (select amount, percent_rank() over (order by amount desc) as place from money) "
        "select sum(amount) filter (where place <= 0.2) / sum(amount) from ranked",
    )
    assert 0.6 < top_fifth < 0.75
    (lines_per_order,) = _one(data, "select count(*) / count(distinct order_id) from lines")
    assert lines_per_order == pytest.approx(1.8, abs=0.05)


@pytest.mark.parametrize(
    ("column", "preference", "unsettled"),
    [("payment_method", "payment_preference", "mixed"), ("channel", "channel_preference", "omnichannel")],
)
def test_payment_and_channel_show_in_the_majority_of_orders(
    data: duckdb.DuckDBPyConnection, column: str, preference: str, unsettled: str
) -> None:
    (right, settled_right) = _one(
        data,
        f"""
        with counted as (
            select customer_id, {column} as used, count(*) as n from orders where {column} is not null group by all
        ),
        majorities as (
            select customer_id, arg_max(used, n) as used, max(n) / sum(n) as share
            from counted group by customer_id having sum(n) >= 5
        )
        select
            avg((if(share < 0.65, '{unsettled}', used) = {preference})::int),
            avg((used = {preference})::int) filter (where {preference} != '{unsettled}')
        from majorities inner join customer_truth using (customer_id)
        """,
    )
    assert right > 0.8
    assert settled_right > 0.95


def test_promotion_types_and_price_sensitivity_are_apart(data: duckdb.DuckDBPyConnection) -> None:
    promoted = _by_group(
        data, "select promotion_type, avg((discount_amount > 0)::int) from lines join customer_truth using (customer_id) group by 1"
    )
    assert promoted["promotion_driven"] > 0.75 > 0.5 > promoted["mixed"] > 0.3 > 0.1 > promoted["full_price"]
    depth = _by_group(
        data,
        "select price_sensitivity, avg(discount_amount / (amount + discount_amount + coupon_amount)) from lines "
        "join customer_truth using (customer_id) where discount_amount > 0 group by 1",
    )
    assert depth["high"] > 0.3 > depth["medium"] > 0.22 > depth["low"]
    # Who is sensitive buys more units the deeper the discount.
    units = _by_group(
        data,
        "select price_sensitivity, avg(quantity) filter (where discount_amount > 0.35 * (amount + discount_amount + coupon_amount)) "
        "/ avg(quantity) filter (where discount_amount = 0) from lines join customer_truth using (customer_id) where amount > 0 group by 1",
    )
    assert units["high"] > 1.6 > units["medium"] > 1.2 > units["low"]


def test_quality_shows_in_unit_prices_and_taste_in_categories(data: duckdb.DuckDBPyConnection) -> None:
    index = _by_group(
        data,
        """
        with priced as (
            select customer_id, category, (amount + discount_amount + coupon_amount) / quantity as price
            from lines join products using (product_id) where amount > 0
        ),
        usual as (select category, avg(price) as usual_price from priced group by category)
        select quality_preference, avg(price / usual_price)
        from priced join usual using (category) join customer_truth using (customer_id) group by 1
        """,
    )
    assert index["quality"] > 1.2 > 1.1 > index["balanced"] > 0.9 > 0.8 > index["quantity"]
    (right,) = _one(
        data,
        """
        with spent as (
            select customer_id, category, sum(amount) as amount from lines join products using (product_id) group by all
        ),
        everybody as (select category, sum(amount) / sum(sum(amount)) over () as share from spent group by category),
        shares as (
            select customer_id, category, amount / sum(amount) over (partition by customer_id) / everybody.share as lift
            from spent join everybody using (category)
        ),
        favourites as (select customer_id, arg_max(category, lift) as category from shares group by customer_id)
        select avg((category = category_affinity)::int) from favourites join customer_truth using (customer_id)
        where category_affinity != 'broad' and purchase_line_count >= 10
        """,
    )
    assert right > 0.85


def test_rhythms_differ_in_regularity_and_season(data: duckdb.DuckDBPyConnection) -> None:
    variation = _by_group(
        data,
        """
        with gaps as (
            select customer_id, date_diff('day', lag(ordered_at) over (partition by customer_id order by ordered_at), ordered_at) as gap
            from orders
        ),
        customers as (select customer_id, stddev_samp(gap) / avg(gap) as variation from gaps group by all having count(gap) >= 6)
        select rhythm, median(variation) from customers join customer_truth using (customer_id) group by 1
        """,
    )
    assert variation["permanent"] < 0.75 < variation["occasional"] < 1.2 < variation["seasonal"]
    assert _one(data, "select max(order_count) from customer_truth where rhythm = 'one_off'") == (1,)
    assert _one(data, "select max(order_count) from customer_truth where rhythm = 'none'") == (0,)
    rates = _by_group(
        data, "select rhythm, avg(purchases_a_year) / 365 from customer_truth group by 1 having rhythm in ('permanent', 'occasional')"
    )
    assert rates["occasional"] == pytest.approx(NUMBERS["occasional_rate_shape"] / NUMBERS["occasional_rate_days"], rel=0.1)
    planned = NUMBERS["permanent_slowest_rate"] + NUMBERS["permanent_rate_shape"] / NUMBERS["permanent_rate_days"]
    assert rates["permanent"] == pytest.approx(planned, rel=0.1)


def test_nobody_orders_after_dropping_out(data: duckdb.DuckDBPyConnection) -> None:
    assert _one(data, "select count(*) from customer_truth where is_alive != (dropped_out_on is null) and rhythm != 'none'") == (0,)
    # A day of slack: local days are not UTC days.
    assert _one(
        data, "select count(*) from orders join customer_truth using (customer_id) where ordered_at >= dropped_out_on + interval 1 day"
    ) == (0,)
    still_buying = _by_group(
        data, "select is_alive, avg((last_ordered_on >= date '2025-11-01')::int) from customer_truth where rhythm = 'permanent' group by 1"
    )
    assert still_buying["True"] > 0.85 > 0.3 > still_buying["False"]


def test_spend_is_gamma_gamma(data: duckdb.DuckDBPyConnection) -> None:
    mean = NUMBERS["spend_shape"] * NUMBERS["spend_scale"] / (NUMBERS["spend_heterogeneity"] - 1)
    assert _one(data, "select avg(mean_order_value) from customer_truth")[0] == pytest.approx(mean, rel=0.05)
    # At list prices, which is what the planted value is about; whole units round it up a little.
    (ratio,) = _one(
        data,
        """
        with orders as (
            select customer_id, order_id, sum(amount + discount_amount + coupon_amount) as list_value
            from lines join customer_truth using (customer_id)
            where price_sensitivity = 'low' and value_trend = 'steady' group by all
        ),
        means as (select customer_id, avg(list_value) as list_value, count(*) as n from orders group by all)
        select sum(list_value * n) / sum(mean_order_value * n) from means join customer_truth using (customer_id)
        """,
    )
    assert 0.97 < ratio < 1.1


def test_holiday_buyers_buy_in_the_windows_of_their_country(data: duckdb.DuckDBPyConnection) -> None:
    share = _by_group(
        data,
        """
        with days as (
            select distinct customer_id, order_id, holiday_behaviour, holiday_windows.holiday is not null as is_holiday
            from orders join customer_truth using (customer_id)
            left join holiday_windows
                on customer_truth.country = holiday_windows.country
                and orders.ordered_at::date between holiday_windows.first_day and holiday_windows.last_day
        )
        select holiday_behaviour, avg(is_holiday::int) from days group by 1
        """,
    )
    assert share["holiday_only"] > 0.97 > 0.7 > share["holiday_heavy"] > 0.45 > 0.3 > share["ordinary"] > 0.12
    easter = data.execute("select distinct last_day + 1 from holiday_windows where holiday = 'easter' and year(last_day) = 2024").fetchall()
    assert easter == [(date(2024, 3, 31),)]


def test_journeys_are_what_the_events_say(data: duckdb.DuckDBPyConnection) -> None:
    stages = _by_group(data, "select journey_stage, count(*) from customer_truth group by 1")
    without_orders = {"registered", "visitor_no_purchase", "cart_abandoner", "support_waiting"}
    assert set(stages) == without_orders | {"first_purchase", "bought_once_lapsed", "repeat", "returning"}
    assert min(stages.values()) > 40
    assert _one(
        data,
        "select count(*) from customer_truth semi join web_events using (customer_id) where journey_stage = 'registered'",
    ) == (0,)
    assert _one(
        data,
        "select count(*) from customer_truth semi join orders using (customer_id) "
        "where journey_stage in ('registered', 'visitor_no_purchase')",
    ) == (0,)
    # Nothing is heard of those who wait since the answer.
    assert _one(
        data,
        """
        with answers as (select customer_id, max(first_reply_at) as answered_at from support_tickets group by all)
        select count(*) from customer_truth
        join answers using (customer_id)
        left join orders using (customer_id)
        where journey_stage = 'support_waiting' and orders.ordered_at > answered_at
        """,
    ) == (0,)
    steps = _by_group(data, "select lower(event_name), count(*) from web_events where event_id not like 'X%' group by 1")
    assert steps["visit"] > steps["order"]
    assert steps["product_view"] > steps["cart_add"] > steps["checkout_start"] > steps["order"] > 1000


def test_responses_follow_the_planted_kind(data: duckdb.DuckDBPyConnection) -> None:
    rates = {
        row[0]: row[1:]
        for row in data.execute(
            "select campaign_response, count(*) / count(distinct customer_id), avg((clicked_at is not null)::int), "
            "avg((converted_order_id is not null)::int), avg((unsubscribed_at is not null)::int) "
            "from campaign_contacts join customer_truth using (customer_id) where contact_id not like 'X%' group by 1"
        ).fetchall()
    }
    assert "never_contacted" not in rates
    assert rates["over_contacted"][0] > 4 * rates["engaged"][0]
    assert rates["responder"][1] > rates["engaged"][1] > 5 * rates["unresponsive"][1]
    assert rates["responder"][2] > 4 * rates["engaged"][2]
    assert rates["unsubscribed"][3] > 0.05 > rates["engaged"][3]
    (answered_right,) = _one(
        data,
        """
        with channels as (
            select
                customer_id,
                lower(channel) as channel,
                avg((opened_at is not null or clicked_at is not null)::int) as answered,
                count(*) as n
            from campaign_contacts
            group by all
        ),
        best as (select customer_id, arg_max(channel, answered) as channel from channels where n >= 3 group by all)
        select avg((channel = contact_preference)::int) from best join customer_truth using (customer_id)
        where campaign_response in ('responder', 'engaged')
        """,
    )
    assert answered_right > 0.8


def test_uplift_has_the_planted_sign(data: duckdb.DuckDBPyConnection) -> None:
    bought = {
        (row[0], row[1]): row[2:]
        for row in data.execute(
            f"""
            select uplift_type, assigned_group, avg(orders_after), avg(true_uplift), avg((caused_order_id is not null)::int)
            from (
                select
                    assignments.*,
                    (
                        select count(*) from orders
                        where orders.customer_id = assignments.customer_id
                            and ordered_at::date > contacted_on and ordered_at::date <= contacted_on + {NUMBERS["uplift_days"]}
                    ) as orders_after
                from campaign_assignments as assignments
            )
            group by 1, 2
            """
        ).fetchall()
    }
    effect = {
        kind: bought[kind, "treated"][0] - bought[kind, "control"][0]
        for kind in ("persuadable", "sure_thing", "lost_cause", "do_not_disturb")
    }
    assert effect["persuadable"] > 0.06
    assert effect["do_not_disturb"] < -0.05
    assert abs(effect["sure_thing"]) < 0.05
    assert abs(effect["lost_cause"]) < 0.05
    assert effect["persuadable"] == pytest.approx(bought["persuadable", "treated"][1], abs=0.05)
    assert bought["persuadable", "control"][2] == 0 < bought["persuadable", "treated"][2]
    # The control group of a campaign has not heard from it.
    assert _one(
        data,
        "select count(*) from campaign_assignments semi join campaign_contacts using (customer_id, campaign_id) "
        "where assigned_group = 'control'",
    ) == (0,)
    assert _one(data, "select sum(treated_count), sum(control_count) from campaign_truth") == _one(
        data,
        "select count(*) filter (where assigned_group = 'treated'), count(*) filter (where assigned_group = 'control') "
        "from campaign_assignments",
    )


def test_programme_shows_in_the_last_month_and_no_balance_is_negative(data: duckdb.DuckDBPyConnection) -> None:
    active = {
        row[0]: row[1:]
        for row in data.execute(
            """
            with last_month as (
                select customer_id, bool_or(lower(entry_type) = 'earn') as earns, bool_or(lower(entry_type) = 'redeem') as redeems
                from loyalty_ledger where occurred_at >= timestamp '2025-12-01 23:00:00' group by all
            )
            select programme_engagement, avg(coalesce(earns, false)::int), avg(coalesce(redeems, false)::int)
            from customer_truth left join last_month using (customer_id) group by 1
            """
        ).fetchall()
    }
    assert active["active_redeemer"][0] > 0.9
    assert active["active_redeemer"][1] > 0.8
    assert active["collector"][0] > 0.9
    assert active["collector"][1] == 0
    assert active["dormant"][0] < 0.1
    assert active["not_a_member"] == (0, 0)
    assert _one(
        data,
        "select min(balance) >= -20 from (select sum(points) over (partition by customer_id order by occurred_at, points desc) as balance "
        "from loyalty_ledger where entry_id not like 'X%')",
    ) == (1,)


def test_advocates_say_so_and_bring_others(data: duckdb.DuckDBPyConnection) -> None:
    said = _by_group(
        data,
        "select advocacy, avg(answer::int) from survey_answers join customer_truth using (customer_id) "
        "where question = 'recommendation_score' and answer != '?' group by 1",
    )
    assert "unknown" not in said
    assert min(said["ambassador"], said["promoter"]) > 9
    assert 7 <= said["passive"] <= 8
    assert said["detractor"] < 4
    kept = _by_group(data, "select advocacy, avg((kept_referral_count > 0)::int) from customer_truth group by 1")
    assert kept["ambassador"] > 0.85
    assert max(share for kind, share in kept.items() if kind != "ambassador") == 0


def test_special_answers_are_there_without_consent_too(data: duckdb.DuckDBPyConnection) -> None:
    (with_consent, without) = _one(
        data,
        """
        with answered as (
            select distinct customer_id from survey_answers join survey_traits using (question)
            where survey_traits.trait in ('progressive', 'moderate', 'traditional')
        )
        select count(*) filter (where is_special_category_permitted), count(*) filter (where not is_special_category_permitted)
        from answered join customer_truth using (customer_id)
        """,
    )
    assert with_consent > 100
    assert without > 100
    # The last word on the permission is what the truth says.
    assert _one(
        data,
        """
        with latest as (
            select customer_id, arg_max(is_granted, changed_at) as is_granted from consents where purpose = 'special_category' group by all
        )
        select count(*) from latest join customer_truth using (customer_id) where is_granted != is_special_category_permitted
        """,
    ) == (0,)
    (faithful,) = _one(
        data,
        "select avg((trait = psychographic_group)::int) from survey_answers join survey_traits using (question, answer) "
        "join customer_truth using (customer_id) where question in ('values', 'personality', 'leisure', 'interests')",
    )
    assert faithful == pytest.approx(0.85 + 0.15 / 6, abs=0.02)


def test_demographics_agree_with_the_life_stage(data: duckdb.DuckDBPyConnection) -> None:
    assert _one(
        data,
        """
        select count(*) from customers join customer_truth using (customer_id)
        where birth_date >= date '1920-01-01' and case
            when life_stage like 'young%' then date_diff('year', birth_date, date '2026-01-01') not between 19 and 36
            when life_stage = 'senior' then date_diff('year', birth_date, date '2026-01-01') < 65
            else date_diff('year', birth_date, date '2026-01-01') not between 36 and 64
        end
        """,
    ) == (0,)
    assert _one(
        data,
        "select count(*) from customers join customer_truth using (customer_id) where (children != '0') != (life_stage like '%family')",
    ) == (0,)
    (unknown_birth,) = _one(data, "select avg((birth_date is null)::int) from customers")
    assert 0.2 < unknown_birth < 0.4
    assert _one(data, "select count(distinct country), count(distinct market), count(distinct climate) from customer_truth") == (5, 5, 5)


def test_money_of_the_truth_is_the_money_of_the_files(folder: Path, data: duckdb.DuckDBPyConnection) -> None:
    # What was typed by hand counts too: the last two lines are broken, the values of some others.
    columns = [row[0] for row in data.execute("describe transactions").fetchall()]
    (by_hand,) = (folder / "transactions").glob("*.csv")
    lines = by_hand.read_bytes().decode("utf-8", "replace").splitlines()[:-2]
    (folder.parent / "by_hand.csv").write_text("\n".join(lines), encoding="utf-8")
    data.execute(
        f"create or replace table all_lines as select {', '.join(columns)} from transactions union all by name "
        f"select * from read_csv('{folder.parent}/by_hand.csv', all_varchar = true) where order_id not like 'X%'"
    )
    assert _one(
        data,
        """
        with lines as (
            select distinct on (order_id, line_id) customer_id, amount::decimal(18, 2) as amount, lower(trim(status)) as state
            from all_lines
        ),
        money as (
            select customer_id, sum(case state when 'cancelled' then 0 when 'returned' then -abs(amount) else amount end) as net
            from lines
            group by customer_id
        )
        select count(*) filter (where coalesce(net, 0) != net_revenue), sum(net) - sum(net_revenue)
        from customer_truth left join money using (customer_id)
        """,
    ) == (0, 0)
