"""From the morning of a campaign's first day to its verdict: the models run by dbt as they are, on memberships and orders planted here."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.lift.measuring import measure_lift
from orchestration.transform import dbt

PROJECT = Path(__file__).parents[3]
AUDIENCE = "lapsed_worth_reengaging"
FIRST_DAY, OPEN, OVER = "2025-11-10", "2025-12-07", "2025-12-08"

# 1,000 members are eligible, a tenth of them on the holdout side; of 50 others each side has people who could not be contacted anyway.
PLANTED = """
    create schema staging; create schema audiences; create schema segments; create schema intermediate;
    create table staging.stg_campaigns (campaign_id varchar, starts_on date, target_audience varchar, campaign_name varchar);
    insert into staging.stg_campaigns by position select *, campaign_id || '!' from (values
        ('win back', '2025-11-10', 'LAPSED_worth_reengaging'), ('for everybody', '2025-11-10', 'everybody'),
        ('next month', '2025-12-10', 'lapsed_worth_reengaging'), ('ambassadors only', '2025-11-10', 'Ambassadors')
    ) as campaigns (campaign_id, starts_on, target_audience);
    create table staging.stg_campaign_contacts as
    select 'win back' as campaign_id, 'c' || number as customer_id, date '2025-11-11' as sent_date from range(100, 950) as numbers (number);
    create table segments.audience_memberships as
    select
        'c' || number as person_id, 'lapsed_worth_reengaging' as audience_id, number between 100 and 999 as is_contactable,
        case when number >= 1000 then 'no_consent' when number < 100 then 'holdout' end as suppressed_reason,
        number < 100 or number % 2 = 1 and number >= 1000 as is_holdout
    from range(1050) as numbers (number);
    create table segments.value_tier_segments as
    select 'c' || number as customer_id, case when number % 4 = 0 then 'top' else 'low' end as segment from range(1050) as numbers (number);
    -- One of ten who are held out, three of ten who were contacted, and nearly all who could not be.
    create table intermediate.int_customer_days as
    select
        'c' || number as customer_id, date '2025-11-20' as order_date, 1 as purchase_orders, cast(30 as decimal(18, 2)) as net_amount
    from range(1050) as numbers (number)
    where number < 10 or number between 100 and 369 or number >= 1000;
"""

Build = Callable[..., None]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """Run models for a day; the project is parsed once."""
    folder = tmp_path_factory.mktemp("lift")
    flags = [
        "--project-dir",
        str(PROJECT),
        "--profiles-dir",
        str(PROJECT),
        "--target-path",
        str(folder),
        "--log-path",
        str(folder / "logs"),
    ]
    flags += ["--log-level", "none", "--log-level-file", "none"]
    with pytest.MonkeyPatch.context() as environment:
        for name, value in (("SEGMENTS_DATABASE", folder / "warehouse.duckdb"), ("SEGMENTS_LANDING", folder), ("DO_NOT_TRACK", 1)):
            environment.setenv(name, str(value))
        with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
            connection.execute(PLANTED)
        parsed = dbt.invoke(["parse", *flags])
        assert parsed.success, parsed.exception

        def run(day: str, *models: str, command: str = "run") -> None:
            arguments = [command, "--select", *models, *flags, "--vars", json.dumps({"as_of_date": day})]
            result = dbt.invoke(arguments, parsed.result)
            assert result.success, result.exception or [r.message for r in result.result.results]

        run(FIRST_DAY, "thresholds", command="seed")
        run(FIRST_DAY, "audience_rules")
        yield run


@pytest.fixture(scope="module")
def database(build: Build) -> Path:
    import os

    return Path(os.environ["SEGMENTS_DATABASE"])


def asked(database: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(query).fetchall()


def measured(build: Build, database: Path, day: str) -> dict[str, dict[str, Any]]:
    """The published lift of a day, as a night makes it."""
    build(day, "recorded_campaign_members", "audience_lift_cells")
    measure_lift(database, {})
    build(day, "stg_lift_measurements", "audience_lift")
    with duckdb.connect(str(database), read_only=True) as connection:
        cursor = connection.execute("select * from segments.audience_lift")
        names = [column[0] for column in cursor.description or []]
        return {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}


def test_before_the_first_night_nothing_is_measured(build: Build, database: Path) -> None:
    lift = measured(build, database, FIRST_DAY)
    assert {name: (row["verdict"], row["verdict_reason"]) for name, row in lift.items()} == {
        "win back": ("not_enough_yet", "window_open"),
        "ambassadors only": ("not_enough_yet", "no_holdout"),
    }


@pytest.fixture(scope="module")
def recorded(build: Build, database: Path) -> Path:
    """The night of the first day has recorded the members; recorded twice, they are there once."""
    build(FIRST_DAY, "campaign_members")
    build(FIRST_DAY, "campaign_members")
    return database


def test_members_are_recorded_on_the_first_day_alone(build: Build, recorded: Path) -> None:
    members = "select campaign_id, is_holdout, count(customer_id) from history.campaign_members group by all order by all"
    of_first_day = [("ambassadors only", None, 0), ("win back", False, 900), ("win back", True, 100), (None, None, 0)]
    assert asked(recorded, members) == of_first_day
    # A night on which no campaign begins records that, and nothing else.
    build("2025-11-11", "campaign_members")
    assert asked(recorded, "select * from history.campaign_members where as_of_date = '2025-11-11'") == [
        (*asked(recorded, "select date '2025-11-11'")[0], None, None, None, None, None)
    ]
    assert asked(recorded, "select count(*) from history.campaign_members") == [(1003,)]


def test_a_campaign_is_measured_when_its_window_is_over(build: Build, recorded: Path) -> None:
    early = measured(build, recorded, OPEN)["win back"]
    assert (early["verdict"], early["verdict_reason"], early["response_difference"]) == ("not_enough_yet", "window_open", None)
    assert early["treated_responses"] == 270
    row = measured(build, recorded, OVER)["win back"]
    assert (row["treated_customers"], row["holdout_customers"], row["treated_contacted"], row["holdout_contacted"]) == (900, 100, 850, 0)
    assert (row["treated_responses"], row["holdout_responses"]) == (270, 10)
    assert row["response_difference"] == pytest.approx(0.2)
    assert 0.1 < row["response_difference_lower"] < 0.2 < row["response_difference_upper"] < 0.3
    assert (float(row["treated_revenue_per_customer"]), float(row["revenue_difference"])) == (9, 6)
    assert (row["verdict"], row["revenue_verdict"], row["verdict_reason"]) == ("positive", "positive", None)
    assert row["balance_p_value"] == pytest.approx(1)
    assert row["campaign_name"] == "win back!"


def test_who_is_a_member_later_changes_nothing(build: Build, recorded: Path) -> None:
    before = measured(build, recorded, OVER)["win back"]
    with duckdb.connect(str(recorded)) as connection:
        connection.execute("create table kept as from segments.audience_memberships; delete from segments.audience_memberships")
    try:
        build(OVER, "campaign_members")
        assert measured(build, recorded, OVER)["win back"] == before
    finally:
        with duckdb.connect(str(recorded)) as connection:
            connection.execute("insert into segments.audience_memberships from kept; drop table kept")


def test_a_first_day_recorded_again_takes_its_old_members_back(build: Build, recorded: Path) -> None:
    with duckdb.connect(str(recorded)) as connection:
        connection.execute("begin; update staging.stg_campaigns set starts_on = '2025-11-12' where campaign_id = 'win back'; commit")
    try:
        # Moved to a day that no night has recorded.
        assert measured(build, recorded, OVER)["win back"]["verdict_reason"] == "members_not_recorded"
        build(FIRST_DAY, "campaign_members")
        assert asked(recorded, "select count(*) from history.campaign_members where campaign_id = 'win back'") == [(0,)]
        build("2025-11-12", "campaign_members")
        assert measured(build, recorded, "2025-12-10")["win back"]["treated_responses"] == 270
    finally:
        with duckdb.connect(str(recorded)) as connection:
            connection.execute("update staging.stg_campaigns set starts_on = '2025-11-10' where campaign_id = 'win back'")
